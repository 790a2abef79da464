import { duration } from "../ui/format.ts";
import type { Check, NodeState } from "./check.ts";

/** A head this much older than the newest node's does not advance; seconds. */
const STILL_SECONDS = 120;

/** For each node: whether it answers, its chain, the age of its head, whether it agrees with the others. */
export const nodes: Check = {
  name: "nodes",
  async examine({ config, examineNodes }) {
    if (config.network === undefined) return { status: "ok", found: "none to ask yet" };
    const { chainId } = config.network;
    const states = await examineNodes();
    const newest = Math.max(...states.map(({ headTime }) => headTime ?? 0));
    const described = states.map((state) => describe(state, { chainId, newest, alone: states.length === 1 }));
    const found = described.map(({ text }) => text).join("; ");
    if (described.every(({ good }) => good)) return { status: "ok", found };
    return {
      status: described.some(({ good }) => good) ? "warn" : "fail",
      found,
      todo: "Take nodes that do not answer, stand still or differ out of rpcUrls, and add others: three of different owners outvote one.",
    };
  },
};

function describe(
  { host, chainId, headTime, agrees }: NodeState,
  expected: { chainId: number; newest: number; alone: boolean },
): { text: string; good: boolean } {
  if (chainId === undefined || headTime === undefined) return { text: `${host}: no answer`, good: false };
  if (chainId !== expected.chainId) return { text: `${host}: on chain ${chainId}`, good: false };
  const age = Math.max(0, Math.floor(Date.now() / 1000) - headTime);
  const still = expected.newest - headTime > STILL_SECONDS;
  const word = expected.alone ? "trusted alone" : agrees ? "agrees" : "differs";
  const good = (expected.alone || agrees === true) && !still;
  return { text: `${host}: head ${duration(age)} old, ${word}${still ? ", stands still" : ""}`, good };
}
