import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import type { Sandbox } from "../../ports/sandbox.ts";
import { type Benchmark, benchmarkSchema } from "../../protocol/machine/benchmark.ts";
import { readMetrics } from "../../protocol/task/metrics-log.ts";

const MIB = 2 ** 20;
/** The runtime that has what the benchmark needs. */
const RUNTIME = "python-ml";
const RUN = "benchmark";

/** One CPU, because a score of all would say little of tasks that have fewer. */
const LIMITS = {
  cpus: 1,
  memoryBytes: 2048 * MIB,
  diskBytes: 128 * MIB,
  wallSeconds: 180,
  pids: 128,
  logBytes: 65_536,
};

export interface MeasureRequest {
  /** Folder with the benchmark's programs. */
  readonly programs: string;
  /** Private folder for its input; removed at the end. */
  readonly dir: string;
  /** Decides the numbers that are computed with; 0 to 2^32 - 1. */
  readonly seed: number;
  /** For which CPU and GPU are measured, each. */
  readonly seconds: number;
  /** Unix seconds. */
  readonly now: number;
}

export interface MachineScore {
  readonly benchmark: Benchmark;
  /** Of the numbers computed: the same for a seed on every machine. */
  readonly checksum: number;
  /** True where the machine has a GPU that could not be measured. */
  readonly gpuFailed: boolean;
}

/**
 * Measures this machine as a task sees it: in the sandbox, with one CPU and, where there is one, one GPU.
 * @throws IMAGE_UNKNOWN, BENCHMARK_FAILED, GPU_BUSY and the codes of the sandbox
 */
export async function measureMachine(
  sandbox: Sandbox,
  { programs, dir, seed, seconds, now }: MeasureRequest,
  { signal }: Abortable,
): Promise<MachineScore> {
  const { images, gpus: present } = await sandbox.probe({ signal });
  const image = images.find(({ name }) => name === RUNTIME);
  if (image === undefined)
    throw new IchainError("IMAGE_UNKNOWN", `The benchmark runs in the image ${RUNTIME}, which is not here.`, {
      hint: `Build it: "ichain runtime build ${RUNTIME}".`,
    });
  await sandbox.discard(RUN);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  try {
    await cp(programs, dir, { recursive: true });
    const gpus = await sandbox.reserve(RUN, { count: Math.min(1, present.length) }, { signal });
    const command = ["python3", "/in/benchmark.py", String(seed), String(seconds)];
    const task = { id: RUN, image: image.digest, command, inputDir: dir, limits: LIMITS, gpus };
    const run = await sandbox.run(task, { signal });
    const { cpu, disk, gpu, checksum } = readMetrics(run.log);
    const found = benchmarkSchema.safeParse({ version: 1, cpu, disk, ...(gpu && { gpu }), at: now });
    if (run.exitCode !== 0 || !found.success || checksum === undefined) throw benchmarkFailed(run.log);
    return { benchmark: found.data, checksum, gpuFailed: gpus.length > 0 && gpu === undefined };
  } finally {
    sandbox.release(RUN);
    await sandbox.discard(RUN);
    await rm(dir, { recursive: true, force: true });
  }
}

const fileIn = (home: string) => join(home, "benchmark.json");

/** Keeps the score in the home folder, for the offers that are published from it. */
export async function keepBenchmark(home: string, benchmark: Benchmark): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const fresh = `${fileIn(home)}.new`;
  await writeFile(fresh, `${JSON.stringify(benchmark)}\n`, { mode: 0o600 });
  await rename(fresh, fileIn(home));
}

/** The score that was measured last in this home; undefined where there is none, or the file is no score. */
export async function keptBenchmark(home: string): Promise<Benchmark | undefined> {
  const text = await readFile(fileIn(home), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return benchmarkSchema.parse(JSON.parse(text));
  } catch {
    return undefined; // an offer does without
  }
}

function benchmarkFailed(log: string): IchainError {
  return new IchainError("BENCHMARK_FAILED", "The benchmark did not come to its end in the sandbox.", {
    details: { log: log.slice(-2000) },
  });
}
