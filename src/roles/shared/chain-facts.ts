import type { MarketReader } from "../../ports/market.ts";
import type { ChainFacts } from "../../protocol/policy/money.ts";
import type { Waits } from "../context.ts";

/** What the chain says beside a job's terms, for policies. */
export async function chainFacts(
  market: Pick<MarketReader, "chainPace" | "gasPrice" | "poolStake">,
  waits: Waits,
): Promise<ChainFacts> {
  const [pace, gasPrice, poolStake] = await Promise.all([
    market.chainPace(waits),
    market.gasPrice(waits),
    market.poolStake(waits),
  ]);
  return { pace, gasPrice, poolStake };
}
