import type { Mode } from "../job/state.ts";
import type { Windows } from "../job/terms.ts";
import { contractWindows, MAX_WINDOW_SECONDS } from "../limits.ts";
import { durationText } from "../quantity.ts";
import type { JobFile } from "../task/spec.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** Seconds between blocks, and how deep an event must be before it is acted on. */
export interface Pace {
  readonly blockSeconds: number;
  readonly confirmations: number;
}

/** A job's windows with the one to accept, which the terms hold as an instant; seconds. */
export type AllWindows = Windows & { readonly accept: number };

/** The work of a job, once its spec is known. */
export interface Work {
  /** Seconds that one run of the task may take. */
  readonly time: number;
  /** Bytes that a validator may have to fetch: the bundle, and a result of the size that the task may write. */
  readonly fetchBytes: number;
}

/** A policy's bounds on windows; seconds. */
export interface WindowRule {
  readonly minWindow: number;
  readonly maxWindow: number;
  /** What a run window must leave beyond the runs. */
  readonly slack: number;
  /** Longest run of a task. */
  readonly maxTime: number;
}

/** Times that one call is sent: two of them may be undone by reorganisations. */
export const TRIES = 3;
/** Blocks until a transaction is included: it may miss the block that is being built. */
export const INCLUSION_BLOCKS = 2;
/** Time after which the chain's adapter raises the fees of a pending transaction. */
export const STUCK_SECONDS = 60;
/** For a party's work between event and transaction: a poll, unsealing, fetching a report of a few KiB. */
export const WORK_SECONDS = 120;

/**
 * Seconds that a party may need for one call. It acts on the event that opens the window when the event is
 * `confirmations` deep. Its transaction is included within two blocks. A reorganisation of at most `confirmations` blocks
 * can undo that, and the transaction is sent again; with two such losses there are three tries of `confirmations` + 2
 * blocks each. One of them may be stuck for a minute until its fees are raised.
 * `test/protocol/policy/windows.test.ts` plays these timelines.
 */
export function callSeconds({ blockSeconds, confirmations }: Pace): number {
  const blocks = TRIES * (confirmations + INCLUSION_BLOCKS);
  return Math.ceil(blocks * blockSeconds) + STUCK_SECONDS + WORK_SECONDS;
}

/** Rate of a slow onion, and the time to reach one. */
const FETCH_BYTES_PER_SECOND = 256 * 2 ** 10;
const REACH_SECONDS = 120;

/** Seconds to fetch a parcel from a slow onion. */
export function fetchSeconds(bytes: number): number {
  return REACH_SECONDS + Math.ceil(bytes / FETCH_BYTES_PER_SECOND);
}

/** Runs of the task that the provider makes: in `evaluate` it also measures its result twice. */
export function runsIn(mode: Mode): number {
  return mode === "evaluate" ? 3 : 1;
}

/** For what follows a repeated run: to pack, host and submit its report, or to give the job back. */
const AFTER_REPEAT_SECONDS = 300;

/** Whether a run window of which `left` seconds are left holds runs that took `took` seconds again, at half the speed. */
export function hasTimeToRepeat(took: number, left: number): boolean {
  return left >= 2 * took + AFTER_REPEAT_SECONDS;
}

/** Runs that a commit window has to hold: two evaluations, and time for a slower machine. */
const VALIDATOR_RUNS = 3;
const ACCEPT_SECONDS = 600;
const RUN_SLACK_SECONDS = 600;
const MOST_RUN_SLACK_SECONDS = 3600;
const DEFAULT_SECONDS = 3600;
/** For a machine that pulls the job's image from a registry first. */
const PULL_SECONDS = 1800;
const DAY = 86_400;

/**
 * Another party may measure slower blocks on the same chain, in particular where blocks are made on demand. Windows that
 * are chosen for a requester therefore suit parties that measure blocks twice as slow, or 12 seconds where that is more.
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
  const call = callSeconds(pace);
  const most = Math.min(rule.maxWindow, MAX_WINDOW_SECONDS);
  const bound = (floor: number, least = Math.max(floor, rule.minWindow, call)) => ({ least, most });
  const runs = runsIn(mode);
  const slack = Math.max(rule.slack, call);
  // Allow a requester more than is needed: it may have measured slower blocks.
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

/** The windows that a job is posted with: those of job.yaml, or what its task and the chain need. */
export function windowsOf(
  {
    windows,
    resources,
    verification,
    image,
  }: Pick<JobFile, "windows" | "resources" | "verification" | "image">,
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
  const call = callSeconds(pace);
  const pulling = typeof image === "object" && "oci" in image ? PULL_SECONDS : 0;
  const fetching = bundleBytes === 0 ? 0 : fetchSeconds(bundleBytes);
  // The requester has to fetch the result before it appoints, and to measure it before it challenges.
  const holding = call + fetchSeconds(resources.disk);
  return {
    accept: chosen("accept", Math.max(ACCEPT_SECONDS, call) + fetching + pulling),
    run: chosen("run", runsIn(verification.mode) * resources.time + RUN_SLACK_SECONDS),
    appoint: chosen("appoint", Math.max(DEFAULT_SECONDS, holding)),
    commit: chosen("commit", DEFAULT_SECONDS + pulling),
    reveal: chosen("reveal", DEFAULT_SECONDS),
    claim: chosen("claim", DEFAULT_SECONDS),
    challenge: chosen("challenge", Math.max(DEFAULT_SECONDS, holding + resources.time)),
    appeal: chosen("appeal", DEFAULT_SECONDS),
  };
}

/** Refuses the first window that is out of bounds. */
export function refuseWindows(
  windows: Partial<AllWindows>,
  bounds: Readonly<Record<keyof AllWindows, Bound>>,
): Refusal | undefined {
  for (const [key, { least, most }] of Object.entries(bounds)) {
    const name = key as keyof AllWindows;
    const window = windows[name];
    if (window === undefined) continue;
    const field = `windows.${name}`;
    const found = `its ${name} window is ${window} s;`;
    if (window < least) {
      const value = durationText(least);
      return refuse("WINDOW_TOO_SHORT", `${found} at least ${least} s are needed`, { field, value });
    }
    if (window > most) {
      return refuse("WINDOW_TOO_LONG", `${found} at most ${most} s are allowed`, {
        field,
        value: `${most}s`,
      });
    }
  }
  return undefined;
}
