import { type Assumptions, part } from "../assumptions.ts";
import type { Voter } from "../game.ts";
import { always } from "../voters.ts";
import { game, majority, relative, type Strategy } from "./strategy.ts";

const side = ["requester", "sybils"] as const;
/** With validators of its own, whose honest play is to measure and be paid. */
const joint = { side: ["requester", "named", "sybils"] } as const;
const against = (a: Assumptions) => ({ share: a.share, sybil: always("fail") });
const own = (...names: readonly Voter[]) => ({ names, friends: ["named", "sybils"] as const });
const unsure = (a: Assumptions) => ({ own: 1 - a.flip, first: 1, challenge: 1 - a.flip, appeal: 1 - a.flip });
/** What an honest validator of its own saves it anyway: F − c. */
const saved = (a: Assumptions) => (1 - a.measuring) * relative(a, 1).fee;
const bomb = { own: 1, first: 0, challenge: 0, appeal: 0 };

export const ofRequesters: readonly Strategy[] = [
  {
    id: "requester-vanishes",
    ...{ side, mustLose: true, honest: game },
    what: "posts and never comes back; the provider draws a validator and is paid",
    cheat: (a) => game(a, { requester: { names: undefined, seeds: false, returns: 0, takes: false } }),
    formula: ["−V", (a) => -a.value],
  },
  {
    id: "requester-silent",
    ...{ side, mustLose: true, honest: game },
    what: "lets the provider draw, then takes the result: spares the gas of `appoint`, but pays that of the end",
    cheat: (a) => game(a, { requester: { names: undefined } }),
  },
  {
    id: "rejection-by-own-validator",
    ...joint,
    ...{ mustLose: true, honest: game },
    what: "names an account of its own, which shows it the key and votes fail; the provider appeals",
    cheat: (a) => game(a, { requester: own(always("fail")), pool: against(a) }, 1),
    turns: ["share", 0, 1],
    formula: [
      "m(P + F) − (1 − m)s + 3qF − (F − c)",
      (a) => {
        const { fee, stake } = relative(a, 1);
        const m = majority(a.share);
        return m * (1 + fee) - (1 - m) * stake + 3 * a.share * fee - saved(a);
      },
    ],
  },
  {
    id: "rejection-unappealed",
    ...joint,
    ...{ mustLose: false, honest: game },
    what: "names an account of its own that votes fail, against a provider with `appeal: never`",
    cheat: (a) => game(a, { requester: own(always("fail")), provider: { appeals: false } }, 1),
    formula: ["P + c", (a) => 1 + relative(a, 1).fee - saved(a)],
  },
  {
    id: "split-validators",
    ...joint,
    ...{ mustLose: true, honest: (a) => game(a, {}, 2) },
    what: "names two accounts of its own that vote against each other; the provider appeals",
    cheat: (a) => game(a, { requester: own(always("pass"), always("fail")), pool: against(a) }, 2),
    turns: ["share", 0, 1],
  },
  {
    id: "rejection-by-two-of-three",
    ...joint,
    ...{ mustLose: true, honest: (a) => game(a, {}, 3) },
    what: "names three accounts of its own, two of which vote fail; the provider appeals",
    cheat: (a) =>
      game(a, { requester: own(always("fail"), always("fail"), always("pass")), pool: against(a) }, 3),
    turns: ["share", 0, 1],
  },
  {
    id: "hiding-validator",
    ...joint,
    ...{ mustLose: true, honest: game },
    what: "names an account of its own, which commits and hides, so that there is no verdict; the provider appeals",
    cheat: (a) => game(a, { requester: own(always("hide")), pool: against(a) }, 1),
    turns: ["share", 0, 1],
  },
  {
    id: "absent-validator-and-silence",
    ...joint,
    ...{ mustLose: true, honest: game },
    what: "names an account that leaves, hides its seed, and challenges what the provider draws",
    cheat: (a) =>
      game(
        a,
        { requester: { ...own(always("leave")), seeds: false, challenges: "always" }, pool: against(a) },
        1,
      ),
    turns: ["share", 0, 1],
  },
  {
    id: "silence-then-challenge",
    ...{ side, mustLose: true, honest: game },
    what: "stays silent, so that the provider draws alone, takes the key that the claim shows, and challenges",
    cheat: (a) =>
      game(a, {
        requester: { names: undefined, challenges: "always", friends: ["sybils"] },
        pool: against(a),
      }),
    turns: ["share", 0, 1],
  },
  {
    id: "false-challenge",
    ...{ side, mustLose: true, honest: (a) => game(a, {}, 0) },
    what: "challenges a good optimistic result with its share of the pool",
    cheat: (a) => game(a, { requester: { challenges: "always" }, pool: against(a) }, 0),
    turns: ["share", 0, 1],
  },
  {
    id: "random-metric",
    ...joint,
    ...{ mustLose: true, honest: game },
    what: "a metric that is never the same twice, own validator; the provider evaluates twice and gives it back",
    cheat: (a) =>
      game(a, {
        requester: own(always("fail")),
        task: { agrees: { own: 0, first: 0, challenge: 0, appeal: 0 } },
      }),
  },
  {
    id: "flipping-metric-once",
    ...joint,
    ...{ mustLose: true, honest: game },
    what: "each evaluation differs with probability f; own validator, posted once",
    cheat: (a) =>
      game(a, { requester: own(always("fail")), task: { agrees: unsure(a) }, pool: against(a) }, 1),
  },
  {
    id: "flipping-metric-again",
    ...joint,
    ...{ mustLose: false, honest: game },
    what: "each evaluation differs with probability f; own validator, posted from new accounts until a provider's two evaluations happen to agree (gas of those posts not counted)",
    cheat: (a) =>
      game(
        a,
        {
          requester: own(always("fail")),
          task: { agrees: { ...unsure(a), own: 1 } },
          pool: { sybil: always("fail") },
        },
        1,
      ),
    turns: ["flip", 0, 0.5],
    formula: [
      "m(f)(P + F) − (1 − m(f))s − (F − c)",
      (a) => {
        const { fee, stake } = relative(a, 1);
        const m = majority(a.flip);
        return m * (1 + fee) - (1 - m) * stake - saved(a);
      },
    ],
  },
  {
    id: "time-bomb-without-own-validator",
    ...{ side, mustLose: true, honest: game },
    what: "a task that measures badly once the provider has submitted; honest validators reject it, and nobody shows the key",
    cheat: (a) => game(a, { task: { agrees: bomb } }),
    formula: ["P − V", (a) => 1 - a.value],
  },
  {
    id: "time-bomb-own-validator",
    ...joint,
    ...{ mustLose: false, honest: game },
    what: "a task that measures badly once the provider has submitted, and a validator of its own that shows it the key: drawn panels find the result bad too",
    cheat: (a) => game(a, { requester: own(always("fail")), task: { agrees: bomb } }, 1),
    formula: ["P + c", (a) => 1 + relative(a, 1).fee - saved(a)],
  },
  {
    id: "time-bomb-optimistic",
    ...{ side, mustLose: false, honest: (a) => game(a, {}, 0) },
    what: "such a task in optimistic mode: takes the key that the claim shows and challenges",
    cheat: (a) => game(a, { requester: { challenges: "always" }, task: { agrees: bomb } }, 0),
    formula: ["1.1 P − 3F", (a) => 1.1 - 3 * relative(a, 0).fee],
  },
  {
    id: "unjudgeable-task",
    ...joint,
    ...{ mustLose: false, honest: game },
    what: "own validator votes fail on a task that nobody in the pool can run (a rare image or GPU): the appeal ends without verdict",
    cheat: (a) => game(a, { requester: own(always("fail")), task: { judgeable: false } }, 1),
    formula: ["P + c", (a) => 1 + relative(a, 1).fee - saved(a)],
  },
  {
    id: "result-on-the-live-log",
    ...{ side, mustLose: false, honest: game },
    what: "the task prints its result, which is small, on the live log and fails: given back, unpaid",
    cheat: (a) => game(a, { task: { leaks: true } }),
    formula: ["P + F", (a) => 1 + relative(a).fee],
  },
  {
    id: "cancel-storm",
    ...{ side, mustLose: true, honest: game },
    what: "posts and cancels; providers fetch for nothing",
    cheat: (a) => game(a, { requester: { cancels: true } }),
    formula: ["−(V − P − F)", (a) => -(a.value - 1 - relative(a).fee)],
  },
  {
    id: "blocked-run",
    ...{ side, mustLose: true, honest: game },
    what: "keeps the provider from submitting in time, even at no cost",
    cheat: (a) => game(a, { requester: { blocks: "run" } }),
    formula: ["1.1 P + F − V", (a) => 1.1 + relative(a).fee - a.value],
  },
  {
    id: "blocked-claim",
    ...joint,
    ...{ mustLose: true, honest: game },
    what: "own validator shows the key; for D prices the provider is kept off the chain until its claim (or seed) is late",
    cheat: (a) =>
      game(a, { requester: { ...own(always("pass")), blocks: "claim" }, besides: -part(a.price, a.dos) }, 1),
    turns: ["dos", 0, 4],
    formula: ["1.1 P + c − D", (a) => 1.1 + relative(a, 1).fee - saved(a) - a.dos],
  },
];
