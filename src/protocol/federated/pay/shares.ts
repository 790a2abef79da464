/** What a round's or a job's pool comes to; amounts in the token's smallest unit. */
export interface Shares {
  /** 98 % of the price. */
  readonly pool: bigint;
  /** Of each provider, in the order given. */
  readonly shares: readonly bigint[];
  /** What is left of the price: commission and remainders, for who led the round. 0 where all is refunded. */
  readonly rest: bigint;
  /** True where no one's work was worth anything: the whole price goes back to the requester. */
  readonly refunded: boolean;
}

/**
 * HKU's split: pool ⌊P·98/100⌋, shares ⌊pool·a/Σa⌋ by worth `a` (a measured accuracy, whole, at least 0). Every unit of
 * the price is in a share, in the rest, or refunded.
 */
export function sharesOf(price: bigint, worth: readonly bigint[]): Shares {
  const pool = (price * 98n) / 100n;
  const sum = worth.reduce((total, one) => total + one, 0n);
  if (sum === 0n) return { pool, shares: worth.map(() => 0n), rest: 0n, refunded: true };
  const shares = worth.map((one) => (pool * one) / sum);
  return { pool, shares, rest: price - shares.reduce((total, one) => total + one, 0n), refunded: false };
}
