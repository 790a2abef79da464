import { type Offer, type Rating, type Tier, tierAtLeast } from "../../protocol/offer.ts";

/** What `ichain providers` filters and sorts by; absent fields filter nothing. */
export interface OfferFilter {
  readonly gpu?: boolean | undefined;
  readonly minRating?: number | undefined;
  /** Price floor, smallest unit of the coin an hour. */
  readonly maxPrice?: bigint | undefined;
  readonly tier?: Tier | undefined;
}

export type OfferOrder = "rating" | "price" | "jobs" | "stake";

/** An offer with its standing in parts of `STANDING_UNIT`. */
export interface Listed {
  readonly offer: Offer;
  readonly standing: bigint;
}

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

const settled = ({ offer }: Listed): number => offer.ratingAsProvider.outcomes.settled;
const descending = (a: bigint, b: bigint): number => (a === b ? 0 : a < b ? 1 : -1);

const orders: Readonly<Record<OfferOrder, (a: Listed, b: Listed) => number>> = {
  rating: (a, b) => descending(a.standing, b.standing),
  price: (a, b) => descending(b.offer.priceFloor, a.offer.priceFloor),
  jobs: (a, b) => settled(b) - settled(a),
  stake: (a, b) => descending(a.offer.stake, b.offer.stake),
};

/** Best first by `order`; ties by account, so that two listings agree. */
export function sorted<T extends Listed>(offers: readonly T[], order: OfferOrder): T[] {
  const compare = orders[order];
  return offers.toSorted((a, b) => compare(a, b) || (a.offer.account < b.offer.account ? -1 : 1));
}
