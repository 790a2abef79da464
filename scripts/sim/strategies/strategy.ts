import { type Assumptions, type Parameter, termsOf } from "../assumptions.ts";
import type { Game, Party } from "../game.ts";
import { honest } from "../voters.ts";

/** A way to cheat, and the same parties' honest play of the same job. */
export interface Strategy {
  readonly id: string;
  /** Whose gain is looked at: theirs together. */
  readonly side: readonly Party[];
  readonly what: string;
  /** Must lose against honesty by default; the others pay somebody, and docs/incentives.md says so. */
  readonly mustLose: boolean;
  readonly cheat: (a: Assumptions) => Game;
  /** Undefined: they would do nothing. */
  readonly honest: ((a: Assumptions) => Game) | undefined;
  /** The parameter at which it begins or ceases to pay, and between which values that is looked for. */
  readonly turns?: readonly [Parameter, from: number, to: number];
  /** The gain over honesty without gas and outages, in prices; where there is a short one. */
  readonly formula?: readonly [text: string, (a: Assumptions) => number];
}

type Change = Partial<Pick<Game, "besides" | "otherwise">> & {
  readonly [K in "terms" | "requester" | "provider" | "task" | "pool"]?: Partial<Game[K]>;
};

/** Everybody as the client plays by default, but for `change`. */
export function game(a: Assumptions, change: Change = {}, validators: number = a.validators): Game {
  const voter = honest(a.outage);
  const names = validators === 0 ? undefined : Array.from({ length: validators }, () => voter);
  return {
    terms: {
      ...termsOf(a, validators),
      stop: { used: a.used, floor: a.stopFloor, cap: a.stopCap },
      ...change.terms,
    },
    requester: {
      ...{ cancels: false, names, friends: [], appointsUnseen: true, seeds: true, returns: 1 },
      ...{ challenges: validators === 0 ? "wrong" : "never", blocks: undefined, takes: true },
      stops: undefined,
      ...change.requester,
    },
    provider: {
      ...{ work: "good", releases: false, appeals: true, hides: undefined, steers: false },
      ...change.provider,
    },
    task: {
      ...{ agrees: { own: 1, first: 1, challenge: 1, appeal: 1 }, judgeable: true, leaks: false },
      fails: false,
      ...change.task,
    },
    pool: { share: 0, sybil: voter, honest: voter, steered: false, ...change.pool },
    besides: change.besides ?? 0n,
    otherwise: change.otherwise,
  };
}

/** The chance that most of three drawn seats are the cheating side's. */
export const majority = (share: number): number => 3 * share ** 2 - 2 * share ** 3;

/** Fee and stake of a validator, in prices. */
export function relative(a: Assumptions, validators = a.validators): { fee: number; stake: number } {
  const { price, validatorFee, validatorStake } = termsOf(a, validators);
  return { fee: Number(validatorFee) / Number(price), stake: Number(validatorStake) / Number(price) };
}
