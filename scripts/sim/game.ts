import type { Call } from "./assumptions.ts";
import type { Chance } from "./chance.ts";
import type { Ending, Round, Terms } from "./rules.ts";

/** Whose money it is. `named` are the validators whom the requester appoints, `sybils` the cheating side's pool. */
export type Party = "requester" | "provider" | "named" | "sybils" | "drawn";

/**
 * What an honest look at the result says; `short` where it is what the provider says and does not reach the threshold, or
 * the run fails as it says; `none` where it cannot be fetched or run.
 */
export type Truth = "agrees" | "short" | "differs" | "none";

export type Vote = "pass" | "fail" | "unmet" | "hide" | "leave";

/** How a validator votes, and whether it measured for it. */
export type Voter = (
  truth: Truth,
  chance: Chance,
  round: Round,
) => { readonly vote: Vote; readonly measured: boolean };

/** How everybody plays one job. */
export interface Game {
  readonly terms: Terms & {
    /** How a stopped run is paid: shares of the price, and the part of the window that a whole run uses. */
    readonly stop: { readonly used: number; readonly floor: number; readonly cap: number };
  };
  readonly requester: {
    readonly cancels: boolean;
    /** Validators whom it appoints; undefined: it does not. */
    readonly names: readonly Voter[] | undefined;
    /** Validators who show it the key. */
    readonly friends: readonly Party[];
    /** Appoints even when the result could not be fetched. */
    readonly appointsUnseen: boolean;
    readonly seeds: boolean;
    /** How often it sees a claim before its window ends. */
    readonly returns: number;
    readonly challenges: "wrong" | "always" | "never";
    /** Stops the run when so much of its window is used; at `used` the work is done. */
    readonly stops: number | undefined;
    /** What it keeps the provider from doing. */
    readonly blocks: "run" | "claim" | undefined;
    /** Takes a result that it can have. */
    readonly takes: boolean;
  };
  readonly provider: {
    /**
     * `untrained`: delivers what its own measurement is right about and no exam passes; `claims`: says that the run failed
     * and makes none; `unhosted`: commits to something that nobody can fetch; `none`: submits nothing.
     */
    readonly work: "good" | "garbage" | "untrained" | "claims" | "unhosted" | "none";
    /** Gives the job back once it has seen it. */
    readonly releases: boolean;
    readonly appeals: boolean;
    readonly hides: "measurement" | "seed" | "key" | undefined;
    /** Chose its seeds so that draws that it decides alone give its own. */
    readonly steers: boolean;
  };
  readonly task: {
    /** How often an honest evaluation of good work agrees: the provider's own two, and each round's. */
    readonly agrees: Readonly<Record<Round | "own", number>>;
    /** Members of the pool can run it, for its fee. */
    readonly judgeable: boolean;
    /** Prints its result on the live log, and fails. */
    readonly leaks: boolean;
    /** Fails, as often as `agrees` says; the provider submits the failure when two runs of its own show it. */
    readonly fails: boolean;
  };
  readonly pool: {
    readonly share: number;
    readonly sybil: Voter;
    readonly honest: Voter;
    /** The cheating side holds both parties' seeds, and so decides every draw. */
    readonly steered: boolean;
  };
  /** What the cheating side gets or pays besides, in wei. */
  readonly besides: bigint;
  /** What is played instead, so often; nobody can tell before. */
  readonly otherwise?: { readonly likely: number; readonly game: Game } | undefined;
}

/** What happened in one job. */
export interface Course {
  readonly ending: Ending<Party>;
  readonly calls: readonly (readonly [Party, Call])[];
  readonly measured: ReadonlyMap<Party, number>;
  readonly worked: boolean;
  /** The requester has a good result. */
  readonly result: boolean;
}
