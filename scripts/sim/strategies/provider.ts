import type { Assumptions } from "../assumptions.ts";
import { always } from "../voters.ts";
import { game, majority, relative, type Strategy } from "./strategy.ts";

const side = ["provider", "sybils"] as const;
const friends = (a: Assumptions) => ({ share: a.share, sybil: always("pass") });
const garbage = { work: "garbage", appeals: false } as const;
const optimistic = (a: Assumptions) => game(a, {}, 0);
/** A requester that looks at optimistic results as `audit.check` has it. */
const looking = (a: Assumptions) => ({ returns: a.check });

export const ofProviders: readonly Strategy[] = [
  {
    id: "garbage-validated",
    ...{ side, mustLose: true, honest: game },
    what: "submits garbage to honest validators",
    cheat: (a) => game(a, { provider: garbage }),
    formula: ["−S − (P − w)", (a) => a.work - 2],
  },
  {
    id: "garbage-appealed",
    ...{ side, mustLose: true, honest: game },
    what: "the same, and appeals with its share of the pool",
    cheat: (a) => game(a, { provider: { work: "garbage" }, pool: friends(a) }, 1),
    turns: ["share", 0, 1],
    formula: [
      "m(P + F) − (1 − m)S − 3(1 − q)F − (P − w)",
      (a) => {
        const { fee } = relative(a, 1);
        const m = majority(a.share);
        return m * (1 + fee) - (1 - m) - 3 * (1 - a.share) * fee - (1 - a.work);
      },
    ],
  },
  {
    id: "no-work",
    ...{ side, mustLose: true, honest: game },
    what: "accepts and submits nothing",
    cheat: (a) => game(a, { provider: { work: "none" } }),
    formula: ["−S − (P − w)", (a) => a.work - 2],
  },
  {
    id: "nothing-hosted",
    ...{ side, mustLose: true, honest: game },
    what: "commits to a result that it never hosts, and appeals: honest validators of the panel vote against what they are not served",
    cheat: (a) => game(a, { provider: { work: "unhosted", steers: true }, pool: friends(a) }),
    turns: ["share", 0, 1],
  },
  {
    id: "nothing-hosted-unappealed",
    ...{ side, mustLose: true, honest: game },
    what: "commits to a result that it never hosts, and does not appeal: only the one seat that is refilled can be a friend's",
    cheat: (a) => game(a, { provider: { work: "unhosted", appeals: false, steers: true }, pool: friends(a) }),
    turns: ["share", 0, 1],
    formula: ["q(P + F) − (P − w)", (a) => a.share * (1 + relative(a).fee) - (1 - a.work)],
  },
  {
    id: "nothing-hosted-unappointed",
    ...{ side, mustLose: true, honest: game },
    what: "hosts nothing, and the requester does not appoint what it could not fetch: the provider draws its own, claims, and is challenged",
    cheat: (a) =>
      game(a, {
        requester: { appointsUnseen: false, challenges: "wrong" },
        provider: { work: "unhosted", steers: true },
        pool: friends(a),
      }),
  },
  {
    id: "garbage-optimistic",
    ...{ side, mustLose: true, honest: optimistic },
    what: "garbage without validators; the requester measures what it gets (`check: evaluate`) and challenges",
    cheat: (a) => game(a, { requester: looking(a), provider: garbage, pool: friends(a) }, 0),
    turns: ["check", 0, 1],
  },
  {
    id: "garbage-optimistic-unseen",
    ...{ side, mustLose: false, honest: optimistic },
    what: "garbage that opens and agrees with its own report, to a requester that chose `check: open`: the terms show which jobs nobody validates",
    cheat: (a) => game(a, { requester: { returns: 0 }, provider: garbage }, 0),
    formula: ["w", (a) => a.work],
  },
  {
    id: "garbage-earned-hidden",
    ...{ side, mustLose: true, honest: optimistic },
    what: "garbage in a job of which the provider does not know whether it is looked at, with probability 0.5",
    cheat: (a) => game(a, { requester: { returns: 0.5 }, provider: garbage }, 0),
  },
  {
    id: "nothing-hosted-optimistic",
    ...{ side, mustLose: true, honest: optimistic },
    what: "claims an optimistic job and hosts nothing, which the requester sees and challenges",
    cheat: (a) => game(a, { provider: { work: "unhosted" }, pool: friends(a) }, 0),
    turns: ["share", 0, 1],
  },
  {
    id: "provoked-challenge",
    ...{ side, mustLose: true, honest: optimistic },
    what: "does an optimistic job well, keeps the result from the requester until it challenges, and serves the panel",
    cheat: (a) => game(a, { requester: { challenges: "always" } }, 0),
  },
  {
    id: "provoked-challenge-for-fees",
    ...{ side, mustLose: false, honest: optimistic },
    what: "does an optimistic job well, keeps the result from the requester until it challenges, and serves the panel, for the fees that its friends there earn without measuring",
    cheat: (a) => game(a, { requester: { challenges: "always" }, pool: friends(a) }, 0),
    turns: ["share", 0, 1],
    formula: ["3qF", (a) => 3 * a.share * relative(a, 0).fee],
  },
  {
    id: "garbage-for-the-absent",
    ...{ side, mustLose: true, honest: game },
    what: "garbage in case the requester is away (5 %), with seeds that draw its own; the requester returns half the time",
    cheat: (a) => awayGame(a),
    turns: ["away", 0, 1],
  },
  {
    id: "garbage-known-absent",
    ...{ side, mustLose: true, honest: (a) => game(a, { requester: { names: undefined } }) },
    what: "garbage to a requester known to be away, which returns with probability r; seeds that draw its own",
    cheat: (a) => gone(a, a.returns),
    turns: ["returns", 0, 1],
    formula: [
      "(1 − r)(P + F) − r(S + s) − (P − w)",
      (a) => {
        const { fee, stake } = relative(a);
        const n = a.validators;
        return (1 - a.returns) * (1 + n * fee) - a.returns * (1 + n * stake) - (1 - a.work);
      },
    ],
  },
  {
    id: "copied-metric",
    ...{ side, mustLose: true, honest: game },
    what: "garbage with a score copied from elsewhere, in `evaluate`: outputs and validators' score differ",
    cheat: (a) => game(a, { provider: garbage }),
  },
  {
    id: "copied-metric-replicate",
    ...{ side, mustLose: false, honest: game },
    what: "garbage with a score known beforehand, in `replicate`, where nobody measures the delivered outputs and the score is known before",
    cheat: (a) =>
      game(a, { provider: garbage, requester: { names: Array(a.validators).fill(always("pass")) } }),
    formula: ["w", (a) => a.work],
  },
  ...(["measurement", "seed", "key"] as const).map(
    (hides): Strategy => ({
      id: `hidden-${hides}`,
      ...{ side, mustLose: true },
      what: `does the work and hides its ${hides}`,
      honest: (a) => game(a, hides === "seed" ? { requester: { names: undefined } } : {}),
      cheat: (a) =>
        game(a, { provider: { hides }, ...(hides === "seed" ? { requester: { names: undefined } } : {}) }),
      formula: ["−P − S", () => -2],
    }),
  ),
  {
    id: "given-back",
    ...{ side, mustLose: true, honest: game },
    what: "accepts, looks at code and data, and gives the job back",
    cheat: (a) => game(a, { provider: { releases: true } }),
    formula: ["−(P − w)", (a) => a.work - 1],
  },
];

/** The requester is gone when it should appoint. */
function gone(a: Assumptions, returns: number) {
  return game(a, {
    requester: { names: undefined, returns, challenges: "wrong" },
    provider: { ...garbage, steers: true },
    pool: { sybil: always("pass") },
  });
}

/** It is there 1 − `away` of the time: the provider learns it only when the garbage is submitted. */
function awayGame(a: Assumptions) {
  return game(a, { provider: garbage, otherwise: { likely: a.away, game: gone(a, a.returns) } });
}
