// The part of gpu-check.sh that needs Node: prints one line a check, and fails when one fails.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isIchainError } from "../src/errors/error.ts";
import { measureMachine } from "../src/roles/rehearsal/measure-machine.ts";
import { findGpuNodes } from "../src/sandbox/gpus/gpu-devices.ts";
import { gpuPool } from "../src/sandbox/gpus/gpu-pool.ts";
import { discoverGpus, parseGpus } from "../src/sandbox/probe/gpus.ts";
import { createSandbox } from "../src/sandbox/sandbox.ts";

const programs = fileURLToPath(new URL("../python/benchmark/", import.meta.url));
let failed = false;

async function check(name: string, what: () => Promise<string> | string): Promise<void> {
  try {
    process.stdout.write(`ok    ${name}: ${await what()}\n`);
  } catch (error) {
    failed = true;
    process.stdout.write(`FAIL  ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}

function refusal(code: "GPU_BUSY" | "GPU_ABSENT", act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (isIchainError(error, code)) return code;
    throw error;
  }
  throw new Error(`a reservation was made where ${code} was due`);
}

// The file has an answer of nvidia-smi, for machines without a GPU.
const [file] = process.argv.slice(2);
const gpus = file === undefined ? await discoverGpus() : parseGpus(await readFile(file, "utf8"));
const uuids = gpus.map(({ uuid }) => uuid);

await check("discovery", () => {
  if (gpus.length === 0) throw new Error("the driver lists no GPU that can be used");
  return gpus
    .map(({ model, memoryBytes, driver }) => `${model}, ${memoryBytes / 2 ** 20} MiB, driver ${driver}`)
    .join("; ");
});
await check("reservation", () => {
  const pool = gpuPool(gpus);
  const held = pool.reserve("first", gpus.length);
  const busy = refusal("GPU_BUSY", () => pool.reserve("second", 1));
  const absent = refusal("GPU_ABSENT", () => pool.reserve("third", gpus.length + 1));
  const other = refusal("GPU_ABSENT", () => pool.reserve("fourth", 1, { models: ["no such model"] }));
  pool.release("first");
  return `${held.length} held, then ${busy}, ${absent}, ${other}; free again: ${pool.reserve("second", 1).length}`;
});
if (file === undefined) {
  await check("device nodes", async () => {
    const { devices, libraries } = await findGpuNodes(uuids);
    return [...devices, ...libraries.map(({ source }) => source)].join(" ");
  });
  const dir = await mkdtemp(join(tmpdir(), "ichain-gpu-check-"));
  for (const gpu of ["toolkit", "devices"] as const)
    await check(`a task with a GPU, by ${gpu}`, async () => {
      const sandbox = createSandbox({ stateDir: join(dir, gpu), instance: `gpu-check-${gpu}`, gpu });
      const request = { programs, dir: join(dir, "in"), seed: 7, seconds: 2, now: 0 };
      const { benchmark } = await measureMachine(sandbox, request, { signal: AbortSignal.timeout(90_000) });
      if (benchmark.gpu === undefined) throw new Error("the task did not reach the GPU");
      return `${benchmark.gpu} GFLOP/s in the sandbox`;
    });
  await rm(dir, { recursive: true, force: true });
}
if (failed) process.exitCode = 1;
