import { cosine, medianOf, ONE, squareRoot } from "../../exact.ts";
import type { Facts, Strategy } from "../../strategy.ts";
import { takeAll } from "../average/fedavg.ts";

const KEPT = 5;

/**
 * Updates that point with the root update (trained on the requester's few rows), clipped to the median norm, by rows; a
 * filter in the manner of FLTrust (Cao et al. 2021). Suspects are those whose last five cosines have a mean below `ban`
 * with four of them negative, or whose norm was thrice the median three rounds running.
 */
export const rootCosine: Strategy = {
  name: "root-cosine",
  summary: "mean of the updates that point with one trained on the requester's own rows, clipped",
  needs: ["root"],
  settings: { ban: -30 },
  combine: "mean",
  server: "plain",
  accuracyGate: false,
  plan(facts, { ban = -30 }) {
    const { squares, root, rootSquare } = facts.products;
    const norms = squares.map(squareRoot);
    const middle = medianOf(norms);
    const taken = [...root.keys()].filter((i) => root[i]! > 0n);
    const memory = Object.fromEntries(
      facts.members.map(({ account }, i) => {
        const [long = 0, ...cosines] = facts.memory[account.toLowerCase()] ?? [];
        const running = norms[i]! > 3n * middle ? long + 1 : 0;
        const last = [...cosines, cosine(root[i]!, squares[i]!, rootSquare)].slice(-KEPT);
        return [account.toLowerCase(), [running, ...last]];
      }),
    );
    const suspects = [...squares.keys()].filter((i) => suspicious(facts, memory, i, (ban * ONE) / 1000));
    const honest = taken.filter((i) => !suspects.includes(i));
    return { ...takeAll(facts, honest), clip: middle, memory, suspects };
  },
};

function suspicious(
  { members }: Facts,
  memory: Record<string, readonly number[]>,
  at: number,
  ban: number,
): boolean {
  const [long = 0, ...cosines] = memory[members[at]!.account.toLowerCase()]!;
  const sum = cosines.reduce((total, one) => total + one, 0);
  const negative = cosines.filter((one) => one < 0).length;
  return long >= 3 || (cosines.length === KEPT && negative >= 4 && sum < KEPT * ban);
}
