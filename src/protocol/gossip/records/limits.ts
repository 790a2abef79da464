/** Bounds and times of a network's records, which all its peers hold to. */

/** Of a transaction; the paper's own default is 10. */
export const LONGEST_TTL = 16;
/** Of one transaction. */
export const MOST_RECEIPTS = 64;
/** In one block. */
export const MOST_TRANSACTIONS = 64;
/** In one block: what a neighbour that checks a draft may have to check. */
export const MOST_BLOCK_RECEIPTS = 1024;
/** From a transaction's creation to its end, seconds. */
export const LONGEST_LIFE = 3600;
/** By which a peer's clock may differ from another's, seconds. */
export const CLOCK_SKEW = 10;
/** How long a peer remembers what it has seen, and confirms its receipts, seconds. */
export const REMEMBERED = 3600;
/** A block is final with this share of all its confirmations, in hundredths, … */
export const ENOUGH_OF_ALL = 80;
/** … or with this share of each transaction's. */
export const ENOUGH_OF_EACH = 60;
