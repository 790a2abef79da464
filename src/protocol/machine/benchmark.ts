import { z } from "zod";
import type { Address } from "../ids.ts";

const rate = z.number().positive().max(1e9);

/** What a machine scored in the benchmark of `ichain benchmark`, as its owner says. */
export const benchmarkSchema = z.strictObject({
  version: z.literal(1),
  cpu: rate.describe("of one CPU: billions of double-precision operations a second in matrix products"),
  disk: rate.describe("MiB a second, written to /out and flushed"),
  gpu: rate.optional().describe("of one GPU: billions of single-precision operations a second"),
  at: z.number().int().nonnegative().describe("when it was measured, Unix seconds"),
});
export type Benchmark = z.infer<typeof benchmarkSchema>;

/** A run that a provider reported, and the score that its offer had when the job was posted. */
export interface TimedRun {
  readonly provider: Address;
  /** Equal for runs of the same task. */
  readonly task: string;
  readonly wallSeconds: number;
  readonly gpus: number;
  readonly benchmark: Pick<Benchmark, "cpu" | "gpu">;
}

/** How a provider's runs compare with what its score promised. */
export interface Deviation {
  /** Time that its runs took over the time that its score promised: 2 is half as fast. */
  readonly factor: number;
  readonly runs: number;
}

/** Seconds below which a run says more about the start of a container than about the machine. */
const LEAST_SECONDS = 5;

/**
 * Compares runs of one task on several providers: time × score is the work that a run seemed to do, and the same task
 * is the same work everywhere. What the others' runs say (the median over them, one value each) is what the score
 * promised; providers whose tasks nobody else ran are left out. Keys are accounts in lower case.
 */
export function deviations(runs: readonly TimedRun[]): ReadonlyMap<string, Deviation> {
  const factors = new Map<string, number[]>();
  const counted = runs.filter((run) => run.wallSeconds >= LEAST_SECONDS && scoreOf(run) !== undefined);
  for (const same of Map.groupBy(counted, ({ task }) => task).values()) {
    const byProvider = Map.groupBy(same, ({ provider }) => provider.toLowerCase());
    const work = new Map([...byProvider].map(([provider, own]) => [provider, median(own.map(workOf))]));
    if (work.size < 2) continue;
    for (const [provider, own] of byProvider) {
      const others = [...work].flatMap(([other, seen]) => (other === provider ? [] : [seen]));
      const promised = median(others);
      factors.set(provider, [...(factors.get(provider) ?? []), ...own.map((run) => workOf(run) / promised)]);
    }
  }
  return new Map(
    [...factors].map(([provider, all]) => [provider, { factor: median(all), runs: all.length }]),
  );
}

function scoreOf({ gpus, benchmark }: TimedRun): number | undefined {
  return gpus > 0 ? benchmark.gpu : benchmark.cpu;
}

function workOf(run: TimedRun): number {
  return run.wallSeconds * (scoreOf(run) ?? 0);
}

/** The lower middle one of an even number, so that one that lies far off does not count. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
}
