import { type Offer, type Rating, type Tier, tierAtLeast } from "../../protocol/offer.ts";
import { standing } from "../../protocol/policy/match.ts";

/** What `ichain providers` filters and sorts by; absent fields filter nothing. */
export interface OfferFilter {
  readonly gpu?: boolean | undefined;
  readonly minRating?: number | undefined;
  /** Price floor, smallest unit of the coin an hour. */
  readonly maxPrice?: bigint | undefined;
  readonly tier?: Tier | undefined;
}

export type OfferOrder = "rating" | "price" | "jobs" | "stake";

/** Mean score, 1 to 5; undefined before the first. */
export function meanScore({ count, sum }: Rating): number | undefined {
  return count === 0 ? undefined : sum / count;
}

export function passes(offer: Offer, filter: OfferFilter): boolean {
  const { details, priceFloor, ratingAsProvider } = offer;
  if (!offer.provider || offer.banned) return false;
  if (filter.gpu && details.gpus.length === 0) return false;
  if (filter.minRating !== undefined && (meanScore(ratingAsProvider) ?? 0) < filter.minRating) return false;
  if (filter.maxPrice !== undefined && priceFloor > filter.maxPrice) return false;
  return filter.tier === undefined || tierAtLeast(details.tier, filter.tier);
}

const settled = (offer: Offer): number => offer.ratingAsProvider.outcomes.settled;
const descending = (a: bigint, b: bigint): number => (a === b ? 0 : a < b ? 1 : -1);

const orders: Readonly<Record<OfferOrder, (a: Offer, b: Offer) => number>> = {
  rating: (a, b) => standing(b.ratingAsProvider) - standing(a.ratingAsProvider),
  price: (a, b) => descending(b.priceFloor, a.priceFloor),
  jobs: (a, b) => settled(b) - settled(a),
  stake: (a, b) => descending(a.stake, b.stake),
};

/** Best first by `order`; ties by account, so that two listings agree. */
export function sorted(offers: readonly Offer[], order: OfferOrder): Offer[] {
  const compare = orders[order];
  return offers.toSorted((a, b) => compare(a, b) || (a.account < b.account ? -1 : 1));
}
