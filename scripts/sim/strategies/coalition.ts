import { type Assumptions, part } from "../assumptions.ts";
import type { Voter } from "../game.ts";
import { always, honest } from "../voters.ts";
import { game, relative, type Strategy } from "./strategy.ts";

/** The validator that is named is the provider's friend so often. */
const bribed =
  (a: Assumptions, often: number): Voter =>
  (truth, chance, round) =>
    (chance.flip(often) ? always("pass") : honest(a.outage))(truth, chance, round);
const garbage = { work: "garbage", appeals: false } as const;
const all = ["requester", "provider", "sybils"] as const;

export const ofCoalitions: readonly Strategy[] = [
  {
    id: "friendly-validator",
    ...{ side: ["provider", "named"], mustLose: true, honest: (a) => game(a, {}, 1) },
    what: "provider and a fifth of the validators: garbage, in the hope that the requester names one of them",
    cheat: (a) => game(a, { requester: { names: [bribed(a, a.foreseen)] }, provider: garbage }, 1),
    turns: ["foreseen", 0, 1],
    formula: [
      "k(P + S + c) − (P − w) − S",
      (a) => a.foreseen * (2 + a.measuring * relative(a, 1).fee) - 2 + a.work,
    ],
  },
  {
    id: "foreseen-validator",
    ...{ side: ["provider", "named"], mustLose: false, honest: (a) => game(a, {}, 1) },
    what: "provider and a validator that the requester names by a rule that can be foreseen (the client chooses by chance): garbage",
    cheat: (a) => game(a, { requester: { names: [bribed(a, 1)] }, provider: garbage }, 1),
    formula: ["w + c", (a) => a.work + a.measuring * relative(a, 1).fee],
  },
  {
    id: "bought-rating",
    ...{ side: ["requester", "provider", "named"], mustLose: false, honest: undefined },
    what: "a job among friends, for a rating that is worth a fifth of a price: costs gas",
    cheat: (a) =>
      game(
        a,
        {
          requester: { names: [always("pass")], takes: false },
          provider: garbage,
          besides: part(a.price, a.rating),
        },
        1,
      ),
    turns: ["rating", 0, 1],
  },
  {
    id: "strike-on-a-validator",
    ...{ side: all, mustLose: true, honest: undefined },
    what: "requester and provider, who hold both seeds, name an honest validator for garbage and overrule it by a panel of their own",
    cheat: (a) =>
      game(
        a,
        {
          requester: { takes: false },
          provider: { work: "garbage" },
          pool: { sybil: always("pass"), steered: true },
        },
        1,
      ),
  },
  {
    id: "griefing-appointment",
    ...{ side: all, mustLose: true, honest: undefined },
    what: "requester and provider name an honest validator and serve it nothing",
    cheat: (a) =>
      game(
        a,
        {
          requester: { takes: false, seeds: false },
          provider: { work: "unhosted", appeals: false, hides: "seed" },
        },
        1,
      ),
  },
];
