import type { Assumptions } from "../assumptions.ts";
import type { Voter } from "../game.ts";
import { always, guessing } from "../voters.ts";
import { game, relative, type Strategy } from "./strategy.ts";

const side = ["named"] as const;
const named = (a: Assumptions, voter: Voter) => game(a, { requester: { names: [voter] } }, 1);
const alone = (a: Assumptions) => game(a, {}, 1);
/** Validators are drawn, as for a requester that stays silent. */
const drawn = (a: Assumptions, voter?: Voter) =>
  game(a, { requester: { names: undefined }, ...(voter ? { pool: { honest: voter } } : {}) }, 1);
/** An honest provider appeals against a rejection. */
const appealed = (a: Assumptions, voter?: Voter) =>
  game(a, { requester: { names: [always("fail")] }, ...(voter ? { pool: { honest: voter } } : {}) }, 1);

export const ofValidators: readonly Strategy[] = [
  {
    id: "lazy-yes",
    ...{ side, mustLose: true, honest: alone },
    what: "commits to the outputs' digest and a guessed score, right once in ten",
    cheat: (a) => named(a, guessing(a.guess)),
    turns: ["guess", 0, 1],
    formula: [
      "gF − (1 − g)s − (F − c)",
      (a) => {
        const { fee, stake } = relative(a, 1);
        return a.guess * fee - (1 - a.guess) * stake - (1 - a.measuring) * fee;
      },
    ],
  },
  {
    id: "lazy-no",
    ...{ side, mustLose: true, honest: alone },
    what: "votes fail without a look; the provider appeals",
    cheat: (a) => named(a, always("fail")),
    formula: [
      "−s − (F − c)",
      (a) => {
        const { fee, stake } = relative(a, 1);
        return -stake - (1 - a.measuring) * fee;
      },
    ],
  },
  {
    id: "lazy-digest",
    ...{ side, mustLose: false, honest: alone },
    what: "in `digest` mode, copies the digest that the result's manifest shows, and never runs the task",
    cheat: (a) => named(a, always("pass")),
    formula: ["c", (a) => a.measuring * relative(a, 1).fee],
  },
  {
    id: "lazy-appeal",
    ...{ side: ["drawn"], mustLose: false, honest: (a) => appealed(a) },
    what: "drawn for an appeal, copies the provider's measurement, which the first round made public",
    cheat: (a) => appealed(a, always("pass")),
    formula: ["3c", (a) => 3 * a.measuring * relative(a, 1).fee],
  },
  {
    id: "copied-commitment",
    ...{ side, mustLose: true, honest: alone },
    what: "repeats another's commitment, which names its author and cannot be opened by anybody else",
    cheat: (a) => named(a, always("hide")),
  },
  {
    id: "committed-and-hidden",
    ...{ side, mustLose: true, honest: alone },
    what: "commits and does not reveal",
    cheat: (a) => named(a, always("hide")),
    formula: [
      "−s − (F − c)",
      (a) => {
        const { fee, stake } = relative(a, 1);
        return -stake - (1 - a.measuring) * fee;
      },
    ],
  },
  {
    id: "drawn-and-silent",
    ...{ side: ["drawn"], mustLose: true, honest: (a) => drawn(a) },
    what: "is drawn and does nothing",
    cheat: (a) => drawn(a, always("leave")),
    formula: ["−(F − c)", (a) => -(1 - a.measuring) * relative(a, 1).fee],
  },
];
