import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setInterval } from "node:timers/promises";
import type { Home } from "../../../src/devnet/homes.ts";

export interface Sample {
  /** Jobs that the market had seen by then. */
  readonly jobs: number;
  readonly pid: number;
  readonly rssKiB: number;
  /** Of JavaScript's data and of buffers, after a full collection; without compiled code. */
  readonly heapKiB: number;
  readonly fds: number;
  /** Of the database itself; its write-ahead log stays below a few MiB and is no growth. */
  readonly journalKiB: number;
  readonly indexKiB: number;
  /** Everything else in the home. */
  readonly filesKiB: number;
}
export type Measure = Exclude<keyof Sample, "jobs" | "pid">;
export const measures: readonly Measure[] = [
  "rssKiB",
  "heapKiB",
  "fds",
  "journalKiB",
  "indexKiB",
  "filesKiB",
];

/**
 * Most growth of an honest actor for each job of the market. Its share of the jobs is a tenth (a provider) to a half (a
 * validator). The heap is judged and not the RSS, which the collector lets grow at its leisure; that has a limit of its
 * own, `MAX_RSS_KIB`. Files: a thousandth of a descriptor a job is noise of when the sample is taken; one for
 * every twenty jobs is a leak. The journal keeps a few KiB of each own job for a year and its log for a month. The
 * index keeps the events of every job of the market.
 */
export const limits: Readonly<Record<Exclude<Measure, "rssKiB">, number>> = {
  heapKiB: 30,
  fds: 0.05,
  journalKiB: 20,
  indexKiB: 40,
  filesKiB: 10,
};
export const MAX_RSS_KIB = 512 << 10;
/** Fewer samples of one process tell nothing. */
const LEAST_SAMPLES = 8;
const WARM_UP = 0.2;
const LOOK_MS = 20;

/** The processes of the devnet's actors by name, found by their command lines. */
export async function pidsOf(homes: readonly Home[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (!/devnet\/actor\.[jt]s/.test(line)) continue;
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    const home = homes.find(({ dir }) => environment.split("\0").includes(`ICHAIN_HOME=${dir}`));
    if (home) found.set(home.name, Number(pid));
  }
  return found;
}

export async function sampleOf({ dir }: Home, pid: number, jobs: number): Promise<Sample> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const kibOf = async (name: string) =>
    stat(join(dir, name)).then(
      ({ size }) => Math.round(size / 1024),
      () => 0,
    );
  const databases = ["journal.db", "index.db"].flatMap((name) => [name, `${name}-wal`, `${name}-shm`]);
  const sizes = await Promise.all(databases.map(kibOf));
  return {
    ...{ jobs, pid },
    heapKiB: await heapOf(dir, pid),
    rssKiB: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0),
    fds: (await readdir(`/proc/${pid}/fd`)).length,
    journalKiB: sizes[0]!,
    indexKiB: sizes[3]!,
    filesKiB: Math.round((await bytesUnder(dir)) / 1024) - sizes.reduce((sum, size) => sum + size, 0),
  };
}

/** Asks the actor (`src/devnet/actor.ts`) for its memory, and waits for the answer. */
async function heapOf(dir: string, pid: number): Promise<number> {
  const file = join(dir, "memory.json");
  await rm(file, { force: true });
  process.kill(pid, "SIGUSR2");
  for await (const _ of setInterval(LOOK_MS)) {
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const { bytes } = JSON.parse(text) as { bytes: number };
    return Math.round(bytes / 1024);
  }
  throw new RangeError("the interval ended");
}

async function bytesUnder(dir: string): Promise<number> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(({ parentPath, name }) =>
      stat(join(parentPath, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

export interface Growth {
  readonly samples: number;
  readonly first: Readonly<Record<Measure, number>>;
  readonly last: Readonly<Record<Measure, number>>;
  readonly most: Readonly<Record<Measure, number>>;
  /** Slope of least squares. */
  readonly perJob: Readonly<Record<Measure, number>>;
}

/** How an actor grew since it was started last; undefined with too few samples. */
export function growthOf(samples: readonly Sample[]): Growth | undefined {
  const pid = samples.at(-1)?.pid;
  const lived = samples.slice(samples.findLastIndex((sample) => sample.pid !== pid) + 1);
  if (lived.length < LEAST_SAMPLES) return undefined;
  const warm = lived.slice(Math.ceil(lived.length * WARM_UP));
  const each = (pick: (measure: Measure) => number) =>
    Object.fromEntries(measures.map((measure) => [measure, pick(measure)])) as Record<Measure, number>;
  return {
    samples: lived.length,
    first: each((measure) => warm[0]![measure]),
    last: each((measure) => warm.at(-1)![measure]),
    most: each((measure) => Math.max(...lived.map((sample) => sample[measure]))),
    perJob: each((measure) => round(slope(warm.map((sample) => [sample.jobs, sample[measure]])))),
  };
}

/** Least squares. */
export function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  return spread === 0 ? 0 : points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread;
}

const round = (value: number) => Math.round(value * 1000) / 1000;
