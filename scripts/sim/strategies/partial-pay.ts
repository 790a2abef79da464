import type { Assumptions } from "../assumptions.ts";
import { WHOLE } from "../rules.ts";
import { always } from "../voters.ts";
import { game, relative, type Strategy } from "./strategy.ts";

/** A job that pays for work that falls short or fails. */
const paying = (a: Assumptions) => ({ effort: Math.round(a.effort * WHOLE) });
const withEffort = (a: Assumptions) => game(a, { terms: paying(a) });
const fee = (a: Assumptions) => relative(a, 1).fee;
const cost = (a: Assumptions) => a.measuring * fee(a);
const friends = ["named", "sybils"] as const;
const failing = (agrees: number, own = agrees) => ({
  fails: true,
  agrees: { own, first: agrees, challenge: agrees, appeal: agrees },
});

/** Around `effort`, `stop` and the exam: jobs that end with a part of the price. */
export const ofPartialPay: readonly Strategy[] = [
  {
    id: "false-failure",
    ...{ side: ["provider"], mustLose: true, honest: withEffort },
    what: "claims that the run failed and runs nothing; honest validators see it succeed",
    cheat: (a) => game(a, { terms: paying(a), provider: { work: "claims", appeals: false } }),
    formula: ["−S − (P − w)", (a) => a.work - 2],
  },
  {
    id: "false-failure-with-a-friend",
    ...{ side: ["provider", "named"], mustLose: true, honest: (a) => game(a, { terms: paying(a) }, 1) },
    what: "the same, confirmed unseen by the validator that the requester names",
    cheat: (a) =>
      game(a, { terms: paying(a), provider: { work: "claims" }, requester: { names: [always("unmet")] } }, 1),
    turns: ["effort", 0, 1],
    formula: ["eP + c − (P − w)", (a) => a.effort + cost(a) - 1 + a.work],
  },
  {
    id: "lazy-failure",
    ...{
      side: ["named"],
      mustLose: false,
      honest: (a) => game(a, { terms: paying(a), task: failing(1) }, 1),
    },
    what: "a validator confirms a failure that is one without running the task: what its provider claims is known before",
    cheat: (a) => game(a, { terms: paying(a), task: failing(1), requester: { names: [always("unmet")] } }, 1),
    formula: ["c", cost],
  },
  {
    id: "untrained-for-an-exam",
    ...{ side: ["provider"], mustLose: true, honest: withEffort },
    what: "submits untrained weights, or the visible labels, to an exam: short of the threshold, and unmet",
    cheat: (a) => game(a, { terms: paying(a), provider: { work: "untrained" } }),
    turns: ["effort", 0, 1],
    formula: ["eP − (P − w)", (a) => a.effort - 1 + a.work],
  },
  {
    id: "untrained-beside-other-work",
    ...{ side: ["provider"], mustLose: false, honest: undefined },
    what: "the same in jobs that it would not have done otherwise: a provider without machines takes effort for nothing",
    cheat: (a) => game(a, { terms: paying(a), provider: { work: "untrained" } }),
    formula: ["eP", (a) => a.effort],
  },
  {
    id: "called-short-by-own-validator",
    ...{ side: ["requester", "named"], mustLose: true, honest: (a) => game(a, { terms: paying(a) }, 1) },
    what: "a validator of its own shows it the key and calls a good result of an exam short; the provider appeals",
    cheat: (a) => game(a, { terms: paying(a), requester: { names: [always("unmet")], friends } }, 1),
    formula: ["−s − (F − c)", (a) => -relative(a, 1).stake - fee(a) + cost(a)],
  },
  {
    id: "called-short-unappealed",
    ...{ side: ["requester", "named"], mustLose: false, honest: (a) => game(a, { terms: paying(a) }, 1) },
    what: "the same against a provider with `appeal: never`",
    cheat: (a) =>
      game(
        a,
        { terms: paying(a), requester: { names: [always("unmet")], friends }, provider: { appeals: false } },
        1,
      ),
    formula: ["P − eP + c", (a) => 1 - a.effort + cost(a)],
  },
  {
    id: "fails-on-purpose",
    ...{ side: ["requester"], mustLose: true, honest: undefined },
    what: "a task that always fails, to have a provider work: confirmed, it pays the effort",
    cheat: (a) => game(a, { terms: paying(a), task: failing(1) }),
    formula: ["−eP − F", (a) => -a.effort - a.validators * relative(a).fee],
  },
  {
    id: "fails-with-the-result",
    ...{ side: ["requester"], mustLose: false, honest: withEffort },
    what: "a task that prints its result, which is small, and then fails: confirmed, it pays the effort",
    cheat: (a) => game(a, { terms: paying(a), task: { ...failing(1), leaks: true } }),
    formula: ["P − eP", (a) => 1 - a.effort],
  },
  {
    id: "fails-by-chance",
    ...{ side: ["requester"], mustLose: true, honest: undefined },
    what: "a task each run of which fails with probability f: the provider sees it fail twice, validators may not",
    cheat: (a) => game(a, { terms: paying(a), task: failing(a.flip) }),
  },
  {
    id: "fails-by-the-clock",
    ...{ side: ["requester", "named"], mustLose: true, honest: undefined },
    what: "a task that fails until its provider has submitted that, and a validator of its own; the provider appeals",
    cheat: (a) =>
      game(a, { terms: paying(a), task: failing(0, 1), requester: { names: [always("fail")], friends } }, 1),
  },
  {
    id: "fails-by-the-clock-and-silence",
    ...{ side: ["requester"], mustLose: true, honest: undefined },
    what: "the same, and it names no validator: drawn ones reject, so that a tenth of the stake is its own",
    cheat: (a) => game(a, { terms: paying(a), task: failing(0, 1), requester: { names: undefined } }, 1),
    formula: ["S/10 − F", (a) => 0.1 - fee(a)],
  },
  {
    id: "fails-unpaid",
    ...{ side: ["requester"], mustLose: true, honest: undefined },
    what: "a task that always fails in a job without `effort`: given back, and nobody is paid",
    cheat: (a) => game(a, { task: failing(0) }),
  },
  {
    id: "stop-at-once",
    ...{ side: ["requester"], mustLose: true, honest: game },
    what: "stops the run as soon as it has begun",
    cheat: (a) => game(a, { requester: { stops: 0 } }),
    formula: ["−floor P − (V − P − F)", (a) => -a.stopFloor - a.value + 1 + a.validators * relative(a).fee],
  },
  {
    id: "stop-before-the-end",
    ...{ side: ["requester"], mustLose: true, honest: game },
    what: "stops the run just before its end, when a part u of the window is used: it has no key, and so no result",
    cheat: (a) => game(a, { requester: { stops: a.used } }),
    formula: ["−uP − (V − P − F)", (a) => -a.used - a.value + 1 + a.validators * relative(a).fee],
  },
  {
    id: "stop-with-the-result",
    ...{ side: ["requester"], mustLose: false, honest: game },
    what: "the task prints its result, which is small, on the live log, and is stopped then",
    cheat: (a) => game(a, { requester: { stops: a.used }, task: { leaks: true } }),
    formula: ["P − uP + F", (a) => 1 - a.used + a.validators * relative(a).fee],
  },
];
