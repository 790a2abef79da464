import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { isIchainError } from "../../src/errors/error.ts";
import { neutraliseLine } from "../../src/protocol/neutralise.ts";
import { gpuPool } from "../../src/sandbox/gpus/gpu-pool.ts";
import { containerName, containerSettings } from "../../src/sandbox/policy.ts";
import { parseGpus } from "../../src/sandbox/probe/gpus.ts";
import { chooseRuntime } from "../../src/sandbox/runtimes/choose.ts";
import { needs } from "../support/require.ts";
import { sandboxSetup } from "./support.ts";

const GIB = 2 ** 30;
const uuid = (n: number) => `GPU-${String(n).padStart(8, "0")}-1111-2222-3333-444444444444`;
const gpus = [0, 1, 2, 3].map((n) => ({
  uuid: uuid(n),
  model: `Model ${n}`,
  memoryBytes: (n + 1) * 20 * GIB,
}));

test("malformed lines of the driver's answer are left out", () => {
  const csv = [
    `${uuid(1)}, NVIDIA H200, 143771, 570.86.15, 9.0`,
    "all, evil, 1, 1, 1",
    `${uuid(2)}, x, [N/A], 1, 1`,
    "",
    `${uuid(3)}, NVIDIA A100-SXM4-80GB, 81920, 570.86.15, [N/A]`,
    `${uuid(4)}, \u001b[2JNVIDIA\u202e, 1, 570; rm, 9.0`,
  ].join("\n");
  assert.deepEqual(
    parseGpus(csv).map((gpu) => [gpu.uuid, gpu.model, gpu.memoryBytes, gpu.driver, gpu.computeCapability]),
    [
      [uuid(1), "NVIDIA H200", 143771 * 2 ** 20, "570.86.15", "9.0"],
      [uuid(3), "NVIDIA A100-SXM4-80GB", 81920 * 2 ** 20, "570.86.15", ""],
      [uuid(4), neutraliseLine("\u001b[2JNVIDIA\u202e"), 2 ** 20, "", "9.0"],
    ],
  );
});

test("a job gets the same GPUs again, and another job none of them", () => {
  const pool = gpuPool(gpus);
  const first = pool.reserve("a", 2);
  assert.deepEqual(pool.reserve("a", 2), first);
  const second = pool.reserve("b", 2);
  assert.equal(new Set([...first, ...second]).size, 4);
  assert.throws(
    () => pool.reserve("c", 1),
    (error) => isIchainError(error, "GPU_BUSY") && error.retryable,
  );
  assert.throws(
    () => pool.reserve("d", 5),
    (error) => isIchainError(error, "GPU_ABSENT"),
  );
  assert.throws(
    () => pool.reserve("e", 1, { memory: 200 * GIB }),
    (error) => isIchainError(error, "GPU_ABSENT"),
  );
  pool.release("a");
  pool.release("b");
  assert.deepEqual(pool.reserve("f", 1, { models: ["model 3"] }), [uuid(3)]);
  assert.throws(
    () => pool.reserve("g", 1, { models: ["model 3"] }),
    (error) => isIchainError(error, "GPU_BUSY"),
  );
  assert.deepEqual(pool.reserve("c", 2), first);
});

test("no GPU is reserved for two jobs, whatever the order of reservations and releases", () => {
  const act = fc.record({
    job: fc.constantFrom("a", "b", "c", "d"),
    count: fc.integer({ min: 0, max: 5 }),
    release: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(act), (acts) => {
      const pool = gpuPool(gpus);
      const held = new Map<string, string[]>();
      for (const { job, count, release } of acts) {
        if (release) {
          pool.release(job);
          held.delete(job);
          continue;
        }
        try {
          held.set(job, pool.reserve(job, count));
        } catch (error) {
          assert.ok(isIchainError(error));
        }
        const all = [...held.values()].flat();
        assert.equal(new Set(all).size, all.length);
        assert.equal(pool.free().length, gpus.length - all.length);
      }
    }),
  );
});

test("a container requests exactly its GPUs, by UUID", needs("docker"), async (t) => {
  const { task, engine, instance, image } = await sandboxSetup(t);
  const chosen = gpuPool(gpus).reserve("x", 2);
  const work = await task("", { gpus: chosen });
  const held = (await engine.images()).find(({ digest }) => digest === image.digest);
  const settings = containerSettings(work, {
    instance,
    imageId: held!.id,
    limits: work.limits,
    outDir: undefined,
    runtime: chooseRuntime(await engine.info(), "runc"),
    cgroupParent: undefined,
    deadline: 0,
  });
  const id = await engine.create(containerName(instance, work.id), settings);
  const inspected = execFileSync("docker", ["inspect", "-f", "{{json .HostConfig}}", id], {
    encoding: "utf8",
  });
  const host = JSON.parse(inspected) as {
    DeviceRequests: unknown;
    Devices: unknown;
    NetworkMode: string;
    CapDrop: string[];
  };
  assert.deepEqual(host.DeviceRequests, [
    {
      Driver: "nvidia",
      Count: 0,
      DeviceIDs: chosen,
      Capabilities: [["gpu", "compute", "utility"]],
      Options: null,
    },
  ]);
  assert.deepEqual([host.Devices ?? [], host.NetworkMode, host.CapDrop], [[], "none", ["ALL"]]);
});

test("a GPU that is not named by its UUID is refused", needs("docker"), async (t) => {
  const { sandbox, task } = await sandboxSetup(t);
  for (const name of ["all", "0", "GPU-", "GPU-12345678,all"]) {
    await assert.rejects(sandbox.run(await task("", { gpus: [name] })), (error) =>
      isIchainError(error, "TASK_INVALID"),
    );
  }
});

test("the check of a machine's GPUs ends with one sentence where there is none", () => {
  const script = fileURLToPath(new URL("../../scripts/gpu-check.sh", import.meta.url));
  const dir = mkdtempSync(join(tmpdir(), "ichain-gpu-check-"));
  try {
    // A driver that is there and lists nothing.
    writeFileSync(join(dir, "nvidia-smi"), "#!/bin/sh\necho No devices were found\nexit 6\n", {
      mode: 0o755,
    });
    const env = { PATH: `${dir}:${process.env.PATH}` };
    const { status, stdout, stderr } = spawnSync(script, { env, encoding: "utf8" });
    assert.deepEqual([status, stderr], [3, ""]);
    assert.match(stdout, /^There is no NVIDIA GPU [^\n]+\.\n$/);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test("the check of a machine's GPUs reads an answer of the driver and tries the reservations", () => {
  const script = fileURLToPath(new URL("../../scripts/gpu-check.ts", import.meta.url));
  const dir = mkdtempSync(join(tmpdir(), "ichain-gpu-check-"));
  try {
    const file = join(dir, "answer.csv");
    writeFileSync(file, [0, 1].map((n) => `${uuid(n)}, NVIDIA L40S, 46068, 550.54.14, 8.9\n`).join(""));
    const { status, stdout } = spawnSync(process.execPath, [script, file], { encoding: "utf8" });
    assert.equal(status, 0, stdout);
    assert.match(
      stdout,
      /^ok {4}reservation: 2 held, then GPU_BUSY, GPU_ABSENT, GPU_ABSENT; free again: 1$/m,
    );
    writeFileSync(file, "");
    assert.equal(spawnSync(process.execPath, [script, file]).status, 1);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
