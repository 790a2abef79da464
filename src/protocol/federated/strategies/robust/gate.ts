import { medianOf, squareRoot } from "../../exact.ts";
import type { Contributor, Facts, Strategy } from "../../strategy.ts";
import { takeAll } from "../average/fedavg.ts";

/** What a member's gains are remembered by: those averaged so far, in millionths. */
type Remembered = readonly [own: number, others: number];

/**
 * Gauntlet's idea made exact: an update that was trained on its part lowers the loss on that part (own) more than on
 * others' (others). Both are averaged over rounds, `past` thousandths of what was and the rest of what is; an update
 * passes where own > 0 and own - others is above `above` thousandths of the median. The rest weighs nothing this round and
 * is replayed. The root update joins the mean as a member of the median norm: it carries classes that left with a cheat.
 */
export const gate: Strategy = {
  name: "gate",
  summary: "mean of the updates that were trained on their own part, with the root update as a member",
  needs: ["gains", "root"],
  settings: { past: 600, above: 300, root: 1000 },
  combine: "mean",
  server: "plain",
  accuracyGate: false,
  plan(facts, { past = 600, above = 300, root = 1000 }) {
    const memory = facts.members.map((member) => average(facts, member, past));
    const line = medianOf(memory.map(([own, others]) => BigInt(own - others)));
    const passes = ([own, others]: Remembered) =>
      own > 0 && BigInt(1000 * (own - others)) > BigInt(above) * line;
    const taken = [...memory.keys()].filter((i) => passes(memory[i]!));
    const middle = medianOf(facts.members.map(({ rows }) => BigInt(rows)));
    return {
      ...takeAll(facts, taken),
      rootWeight: Math.floor((Number(middle) * root) / 1000),
      clip: medianOf(facts.products.squares.map(squareRoot)),
      memory: Object.fromEntries(facts.members.map(({ account }, i) => [account.toLowerCase(), memory[i]!])),
      suspects: [...memory.keys()].filter((i) => !taken.includes(i)),
    };
  },
};

function average({ memory }: Facts, { account, gains }: Contributor, past: number): Remembered {
  const { own, others } = gains ?? { own: 0, others: 0 };
  const before = memory[account.toLowerCase()];
  if (before === undefined) return [own, others];
  const blend = (was: number, now: number) => Math.trunc((past * was + (1000 - past) * now) / 1000);
  return [blend(before[0]!, own), blend(before[1]!, others)];
}
