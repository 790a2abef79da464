import type { ProgressEvent, Reporter } from "../ports/reporter.ts";

/** Kinds of steps that are told apart: the beginning of a step's `id`. */
const counted = ["fetch", "host", "pack", "image", "run"] as const;
type Counted = (typeof counted)[number] | "other";
/** Open steps that are followed at once; of more only the ends are counted. */
const MAX_OPEN = 10_000;

/** What the roles of a daemon have reported since it started, counted. */
export interface Tally {
  /** Passes each event on to `reporter`, and counts it. */
  tap(reporter: Reporter): Reporter;
  readonly warnings: number;
  /** Bytes of parcels that were fetched and verified; a fetch that is resumed counts from its beginning. */
  readonly fetchedBytes: number;
  /** How steps ended, and how many are under way. */
  steps(): readonly {
    readonly step: Counted;
    readonly ended: number;
    readonly failed: number;
    readonly open: number;
  }[];
}

export function createTally(): Tally {
  const ends = new Map<Counted, { ended: number; failed: number }>();
  /** Bytes that an open step has reported last. */
  const open = new Map<string, { readonly step: Counted; done: number }>();
  let warnings = 0;
  let fetchedBytes = 0;

  function count(event: ProgressEvent): void {
    if (event.kind === "warn" || event.kind === "fail") warnings += 1;
    if (!("id" in event)) return;
    const key = `${event.job ?? ""} ${event.id}`;
    const step = kindOf(event.id);
    if (event.kind === "start" && open.size < MAX_OPEN) open.set(key, { step, done: 0 });
    if (event.kind === "progress" && step === "fetch") fetched(key, event.done ?? 0);
    if (event.kind !== "end" && event.kind !== "fail") return;
    const sums = ends.get(step) ?? { ended: 0, failed: 0 };
    sums[event.kind === "end" ? "ended" : "failed"] += 1;
    ends.set(step, sums);
    open.delete(key);
  }

  function fetched(key: string, bytes: number): void {
    const known = open.get(key);
    if (known === undefined) return;
    fetchedBytes += Math.max(0, bytes - known.done);
    known.done = bytes;
  }

  return {
    tap: (reporter) => ({
      emit(event) {
        reporter.emit(event);
        count(event);
      },
    }),
    get warnings() {
      return warnings;
    },
    get fetchedBytes() {
      return fetchedBytes;
    },
    steps() {
      const under = Map.groupBy(open.values(), ({ step }) => step);
      return [...counted, "other" as const].map((step) => ({
        step,
        ...(ends.get(step) ?? { ended: 0, failed: 0 }),
        open: under.get(step)?.length ?? 0,
      }));
    },
  };
}

function kindOf(id: string): Counted {
  return counted.find((step) => id === step || id.startsWith(`${step}-`)) ?? "other";
}
