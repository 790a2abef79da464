import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Home } from "../../../src/devnet/homes.ts";

export interface Sample {
  /** Jobs that the market had seen by then. */
  readonly jobs: number;
  readonly pid: number;
  readonly rssKiB: number;
  readonly fds: number;
  readonly homeKiB: number;
  readonly journalKiB: number;
}
export type Measure = Exclude<keyof Sample, "jobs" | "pid">;
export const measures: readonly Measure[] = ["rssKiB", "fds", "homeKiB", "journalKiB"];

/**
 * Most growth for each job of the market. An actor's share of the jobs is a tenth (a provider) to a half (a
 * validator). RSS: a process that leaked a parcel, a log or an index row a job would show more than 100 KiB, and the
 * collector's own wavering over a hundred jobs shows less. Files: a thousandth of a descriptor a job is noise of when
 * the sample is taken; one for every twenty jobs is a leak. Disk: what the journal and the index remember of a job
 * (each is kept a year) and its log (kept a month) take a few KiB.
 */
export const limits: Readonly<Record<Measure, number>> = {
  rssKiB: 100,
  fds: 0.05,
  homeKiB: 20,
  journalKiB: 20,
};
/** Fewer samples tell nothing. */
const LEAST_SAMPLES = 5;
const WARM_UP = 0.2;

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
  const sizes = await Promise.all(
    ["journal.db", "journal.db-wal"].map((name) =>
      stat(join(dir, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return {
    ...{ jobs, pid },
    rssKiB: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0),
    fds: (await readdir(`/proc/${pid}/fd`)).length,
    homeKiB: Math.round((await bytesUnder(dir)) / 1024),
    journalKiB: Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1024),
  };
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
  readonly perJob: Readonly<Record<Measure, number>>;
}

/** How an actor that lived through all of it grew; undefined for one that did not, or with too few samples. */
export function growthOf(samples: readonly Sample[]): Growth | undefined {
  const pid = samples.at(-1)?.pid;
  const warm = samples.slice(Math.ceil(samples.length * WARM_UP));
  if (samples.length < LEAST_SAMPLES || samples.some((sample) => sample.pid !== pid)) return undefined;
  const each = (pick: (measure: Measure) => number) =>
    Object.fromEntries(measures.map((measure) => [measure, pick(measure)])) as Record<Measure, number>;
  return {
    samples: samples.length,
    first: each((measure) => warm[0]![measure]),
    last: each((measure) => warm.at(-1)![measure]),
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
