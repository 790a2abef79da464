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
import { LONGEST_TTL, MOST_RECEIPTS } from "./limits.ts";

/** A peer trained, and shows its model. The model travels beside the record, which holds its digest. */
export const transactionSchema = z.strictObject({
  generator: identitySchema,
  create: timeField,
  /** Who gets it then or later passes it over. */
  expire: timeField,
  /** SHA-256 of the model as it travels. */
  model: digestField,
  /** Of the model as it travels. */
  bytes: z
    .number()
    .int()
    .min(1)
    .max(2 ** 40),
  /** How far it goes: 1 reaches the generator's neighbours. */
  ttl: z.number().int().min(1).max(LONGEST_TTL),
  signature: signatureField,
});
export type GossipTransaction = z.output<typeof transactionSchema>;

/** Receipts are outside of a transaction's digest, which stays the same while they are added. */
export function transactionDigest(transaction: Omit<GossipTransaction, "signature">): Hex {
  const { generator, create, expire, model, bytes, ttl } = transaction;
  return recordDigest("transaction", [
    ...identityFields(generator),
    ...[word(create, 8), word(expire, 8), model, word(bytes, 8), word(ttl, 1)],
  ]);
}

/** A peer measured a transaction's model on data of its own. */
export const receiptSchema = z.strictObject({
  creator: identitySchema,
  create: timeField,
  /** One less than the least of the transaction's ttl and that of the receipts that came with it. */
  receivedAtTtl: z
    .number()
    .int()
    .min(0)
    .max(LONGEST_TTL - 1),
  /** Millionths. */
  accuracy: z.number().int().min(0).max(1_000_000),
  transaction: digestField,
  signature: signatureField,
});
export type GossipReceipt = z.output<typeof receiptSchema>;

export function receiptDigest(receipt: Omit<GossipReceipt, "signature">): Hex {
  const { creator, create, receivedAtTtl, accuracy, transaction } = receipt;
  return recordDigest("receipt", [
    ...identityFields(creator),
    ...[word(create, 8), word(receivedAtTtl, 1), word(accuracy, 4), transaction],
  ]);
}

/** A transaction with what its witnesses say of it. */
export const witnessedSchema = z.strictObject({
  transaction: transactionSchema,
  receipts: z.array(receiptSchema).max(MOST_RECEIPTS),
});
export type WitnessedTransaction = z.output<typeof witnessedSchema>;

/** What a peer that gets a transaction with these receipts writes into its own; negative: it came too far. */
export function ttlOnArrival({ transaction, receipts }: WitnessedTransaction): number {
  return receipts.reduce((least, { receivedAtTtl }) => Math.min(least, receivedAtTtl), transaction.ttl) - 1;
}
