import type { Abortable } from "../../async/abort.ts";
import type { MarketReader } from "../../ports/market.ts";
import type { ChainFacts } from "../../protocol/policy/money.ts";
import { providerDataSizes } from "../../protocol/policy/quote.ts";

/** What a policy needs to know of the chain beside a job's terms. */
export async function chainFacts(
  market: Pick<MarketReader, "chainPace" | "gasPrice" | "dataFee" | "poolStake">,
  options: Abortable,
): Promise<ChainFacts> {
  const [pace, gasPrice, dataFee, poolStake] = await Promise.all([
    market.chainPace(options),
    market.gasPrice(options),
    market.dataFee(providerDataSizes, options),
    market.poolStake(options),
  ]);
  return { pace, gasPrice, dataFee, poolStake };
}
