import type { Abortable } from "../../../../async/abort.ts";
import type { MarketReader } from "../../../../ports/market.ts";
import type { Address } from "../../../../protocol/ids.ts";
import type { Offer } from "../../../../protocol/offer.ts";
import {
  byWeighedPrice,
  medianPrice,
  type PaidRecord,
  type Ranked,
  recordOf,
  standingOf,
} from "../../../../protocol/record.ts";

/** A provider with its record, as this account weighs it. */
export interface RankedRecord extends Ranked {
  readonly record: PaidRecord;
}

interface Prices {
  readonly requester: Address;
  /** Of the job by this provider, smallest unit of what pays it. */
  priceOf(provider: Offer): bigint;
  /** The same in the coin, wei. */
  wei(provider: Offer): bigint;
}

/** Reads the records of `providers` and puts the best first. Evidence is weighed against the median of their prices. */
export async function rank(
  market: Pick<MarketReader, "pastJobs" | "gasPrice">,
  providers: readonly Offer[],
  { requester, priceOf, wei }: Prices,
  { signal }: Abortable,
): Promise<readonly RankedRecord[]> {
  const gasPrice = await market.gasPrice({ signal });
  const usual = medianPrice(providers.map(wei));
  const ranked: RankedRecord[] = [];
  const accounts = providers.map(({ account }) => account);
  for await (const past of market.pastJobs(accounts, { signal })) {
    const offer = providers[ranked.length]!;
    const record = recordOf(past, { requester, gasPrice });
    ranked.push({ offer, record, price: priceOf(offer), standing: standingOf(record, usual) });
  }
  return ranked.sort(byWeighedPrice);
}
