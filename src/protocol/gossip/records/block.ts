import { z } from "zod";
import type { Hex } from "../../ids.ts";
import {
  digestField,
  identityFields,
  identitySchema,
  recordDigest,
  signatureField,
  timeField,
  word,
} from "./encoding.ts";
import { ENOUGH_OF_ALL, ENOUGH_OF_EACH, MOST_BLOCK_RECEIPTS, MOST_TRANSACTIONS } from "./limits.ts";
import { receiptDigest, transactionDigest, witnessedSchema } from "./transaction.ts";

/** A peer's own transactions with their receipts, as a draft for its witnesses to confirm. */
export const blockSchema = z.strictObject({
  /** From 1. */
  height: z
    .number()
    .int()
    .min(1)
    .max(2 ** 31),
  /** Final digest of the block before; the network's in the first. */
  previous: digestField,
  creator: identitySchema,
  time: timeField,
  /** The network's digest. */
  genesis: digestField,
  transactions: z
    .array(witnessedSchema)
    .min(1)
    .max(MOST_TRANSACTIONS)
    .refine((all) => all.reduce((sum, { receipts }) => sum + receipts.length, 0) <= MOST_BLOCK_RECEIPTS, {
      message: `has more than ${MOST_BLOCK_RECEIPTS} receipts`,
    }),
  signature: signatureField,
});
export type GossipBlock = z.output<typeof blockSchema>;

export function blockDigest(block: Omit<GossipBlock, "signature">): Hex {
  const { height, previous, creator, time, genesis, transactions } = block;
  return recordDigest("block", [
    ...[word(height, 4), previous, ...identityFields(creator), word(time, 8), genesis],
    word(transactions.length, 4),
    ...transactions.flatMap(({ transaction, receipts }) => [
      transactionDigest(transaction),
      word(receipts.length, 4),
      ...receipts.map(receiptDigest),
    ]),
  ]);
}

/** A witness saw that its receipt is in this block, which it says of a receipt at most once, ever. */
export const confirmationSchema = z.strictObject({
  creator: identitySchema,
  transaction: digestField,
  receipt: digestField,
  block: digestField,
  signature: signatureField,
});
export type GossipConfirmation = z.output<typeof confirmationSchema>;

export function confirmationDigest(confirmation: Omit<GossipConfirmation, "signature">): Hex {
  const { creator, transaction, receipt, block } = confirmation;
  return recordDigest("confirmation", [...identityFields(creator), transaction, receipt, block]);
}

/** A block with enough confirmations, which its creator closes. */
export const finalBlockSchema = z.strictObject({
  block: blockSchema,
  confirmations: z.array(confirmationSchema).max(MOST_BLOCK_RECEIPTS),
  finalizedAt: timeField,
  /** Of the final digest, by the block's creator. */
  signature: signatureField,
});
export type FinalBlock = z.output<typeof finalBlockSchema>;

/** Covers the confirmations and the time; the next block names it. */
export function finalDigest({ block, confirmations, finalizedAt }: Omit<FinalBlock, "signature">): Hex {
  return recordDigest("final", [
    ...[blockDigest(block), word(finalizedAt, 8), word(confirmations.length, 4)],
    ...confirmations.map(confirmationDigest),
  ]);
}

/** Whether these receipts' confirmations make a block final; `confirmed` has digests of receipts. */
export function isEnough(
  { transactions }: Pick<GossipBlock, "transactions">,
  confirmed: ReadonlySet<Hex>,
): boolean {
  const counts = transactions.map(({ receipts }) => ({
    all: receipts.length,
    confirmed: receipts.filter((receipt) => confirmed.has(receiptDigest(receipt))).length,
  }));
  const all = counts.reduce((sum, one) => sum + one.all, 0);
  const got = counts.reduce((sum, one) => sum + one.confirmed, 0);
  return (
    100 * got >= ENOUGH_OF_ALL * all || counts.every((one) => 100 * one.confirmed >= ENOUGH_OF_EACH * one.all)
  );
}
