import type { Mode } from "../job/state.ts";
import type { Windows } from "../job/terms.ts";
import { contractWindows, MAX_WINDOW_SECONDS } from "../limits.ts";
import { durationText } from "../quantity.ts";
import type { JobFile } from "../task/spec.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** How fast a chain goes, and how deep an event lies before it is acted on. */
export interface Pace {
  readonly blockSeconds: number;
  readonly confirmations: number;
}

/** A job's windows, with the one for `accept`, which the terms hold as an instant. */
export type AllWindows = Windows & { readonly accept: number };

/** What is known of the work, once the spec is here. */
export interface Work {
  /** Seconds that one run of the task may take. */
  readonly time: number;
  /** Bytes that a validator may have to fetch: the bundle, and a result of the size that the task may write. */
  readonly fetchBytes: number;
}

/** What windows are held against; seconds. */
export interface WindowRule {
  readonly minWindow: number;
  readonly maxWindow: number;
  /** What a run window leaves, beyond the runs themselves, at least. */
  readonly slack: number;
  /** Longest run of a task. */
  readonly maxTime: number;
}

export const TRIES = 3;
/** A transaction that comes too late for the block that is being made is in the next one. */
export const INCLUSION_BLOCKS = 2;
/** After which the chain's adapter raises a waiting transaction's fees. */
export const STUCK_SECONDS = 60;
/** For what a party does between event and transaction: a poll, unsealing, fetching a report of a few KiB. */
export const WORK_SECONDS = 120;

/**
 * Seconds that a party needs for one call, at least. The event that opens the window is acted on when it lies
 * `confirmations` deep. Then the transaction is included within two blocks; a reorganisation, noticed when it is
 * `confirmations` deep at most, undoes that, and the transaction is sent again. Room for two such losses makes three
 * tries of `confirmations` + 2 blocks each. Once among them a transaction is stuck, and is replaced for higher fees
 * after a minute. `test/protocol/policy/windows.test.ts` plays these timelines.
 */
export function leastTurn({ blockSeconds, confirmations }: Pace): number {
  const blocks = TRIES * (confirmations + INCLUSION_BLOCKS);
  return Math.ceil(blocks * blockSeconds) + STUCK_SECONDS + WORK_SECONDS;
}

/** A slow onion, and what it takes to reach one. */
const FETCH_BYTES_PER_SECOND = 256 * 2 ** 10;
const REACH_SECONDS = 120;

export function fetchSeconds(bytes: number): number {
  return REACH_SECONDS + Math.ceil(bytes / FETCH_BYTES_PER_SECOND);
}

/** Runs of the task that the provider makes: in `evaluate` it also measures its result twice. */
export function runsIn(mode: Mode): number {
  return mode === "evaluate" ? 3 : 1;
}

/** Runs that a commit window has to hold: two evaluations, and time for a slower machine. */
const VALIDATOR_RUNS = 3;
const ACCEPT_SECONDS = 600;
const RUN_SLACK_SECONDS = 600;
const MOST_RUN_SLACK_SECONDS = 3600;
const DEFAULT_SECONDS = 3600;
const DAY = 86_400;

/**
 * Others measure the same chain at other times, and a little slower, or never in step where blocks come on demand: what
 * is chosen for a requester holds for those who find blocks twice as slow, and at least as slow as this.
 */
const SLOWER = 2;
const SLOW_BLOCK_SECONDS = 12;

export interface Bound {
  readonly least: number;
  readonly most: number;
}

/** Least and most of every window; `work` is what the spec says, once it is known. */
export function windowBounds(
  rule: WindowRule,
  pace: Pace,
  mode: Mode,
  work?: Work,
): Readonly<Record<keyof AllWindows, Bound>> {
  const turn = leastTurn(pace);
  const most = Math.min(rule.maxWindow, MAX_WINDOW_SECONDS);
  const bound = (floor: number, least = Math.max(floor, rule.minWindow, turn)) => ({ least, most });
  const runs = runsIn(mode);
  const slack = Math.max(rule.slack, turn);
  // A requester may leave more than is needed, as one that finds the chain slower than we do.
  const mostRun = runs * rule.maxTime + Math.max(MOST_RUN_SLACK_SECONDS, 2 * SLOWER * slack);
  const validating = work ? VALIDATOR_RUNS * work.time + fetchSeconds(work.fetchBytes) : 0;
  const mostCommit = Math.max(rule.maxWindow, VALIDATOR_RUNS * rule.maxTime + DAY);
  const least = contractWindows;
  return {
    accept: { least: 0, most },
    run: {
      least: Math.max(least.run, runs * (work?.time ?? 1) + slack),
      most: Math.min(mostRun, MAX_WINDOW_SECONDS),
    },
    appoint: bound(least.appoint),
    commit: { least: bound(least.commit).least + validating, most: Math.min(mostCommit, MAX_WINDOW_SECONDS) },
    reveal: bound(least.reveal),
    claim: bound(least.claim),
    challenge: bound(least.challenge),
    appeal: bound(least.appeal),
  };
}

/** The windows that a job is posted with: as job.yaml says, or what its task and the chain need. */
export function windowsOf(
  { windows, resources, verification }: Pick<JobFile, "windows" | "resources" | "verification">,
  rule: WindowRule,
  { blockSeconds, confirmations }: Pace,
  bundleBytes = 0,
): AllWindows {
  const pace = { blockSeconds: Math.max(SLOWER * blockSeconds, SLOW_BLOCK_SECONDS), confirmations };
  const work = { time: resources.time, fetchBytes: bundleBytes + resources.disk };
  const bounds = windowBounds(rule, pace, verification.mode, work);
  const chosen = (name: keyof AllWindows, usual: number) => {
    const { least, most } = bounds[name];
    return windows[name] ?? Math.max(Math.min(usual, most), least);
  };
  const turn = leastTurn(pace);
  const fetching = bundleBytes === 0 ? 0 : fetchSeconds(bundleBytes);
  // The requester's own turns: it has the result to fetch before it appoints, and to measure before it challenges.
  const holding = turn + fetchSeconds(resources.disk);
  return {
    accept: chosen("accept", Math.max(ACCEPT_SECONDS, turn) + fetching),
    run: chosen("run", runsIn(verification.mode) * resources.time + RUN_SLACK_SECONDS),
    appoint: chosen("appoint", Math.max(DEFAULT_SECONDS, holding)),
    commit: chosen("commit", DEFAULT_SECONDS),
    reveal: chosen("reveal", DEFAULT_SECONDS),
    claim: chosen("claim", DEFAULT_SECONDS),
    challenge: chosen("challenge", Math.max(DEFAULT_SECONDS, holding + resources.time)),
    appeal: chosen("appeal", DEFAULT_SECONDS),
  };
}

/** The first window that is out of bounds. */
export function refuseWindows(
  windows: Partial<AllWindows>,
  bounds: Readonly<Record<keyof AllWindows, Bound>>,
): Refusal | undefined {
  for (const [key, { least, most }] of Object.entries(bounds)) {
    const name = key as keyof AllWindows;
    const window = windows[name];
    if (window === undefined) continue;
    const field = `windows.${name}`;
    const told = `its ${name} window is ${window} s;`;
    if (window < least) {
      const value = durationText(least);
      return refuse("WINDOW_TOO_SHORT", `${told} at least ${least} s are needed`, { field, value });
    }
    if (window > most) {
      return refuse("WINDOW_TOO_LONG", `${told} at most ${most} s are taken`, { field, value: `${most}s` });
    }
  }
  return undefined;
}
