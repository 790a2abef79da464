import type { Hex } from "../../ids.ts";
import { blockDigest, type GossipBlock } from "./block.ts";
import { CLOCK_SKEW, LONGEST_LIFE } from "./limits.ts";
import type { RecordChecker } from "./signatures.ts";
import {
  type GossipReceipt,
  receiptDigest,
  transactionDigest,
  type WitnessedTransaction,
} from "./transaction.ts";

/** What is wrong with a record, and where it is: places count from 1. */
export interface Flaw {
  readonly record: string;
  readonly why: string;
}

/** What is wrong with a transaction or with one of its receipts, by themselves; undefined where nothing is. */
export function flawOfTransaction(
  { transaction, receipts }: WitnessedTransaction,
  checker: RecordChecker,
): Flaw | undefined {
  const { generator, create, expire, signature } = transaction;
  const flaw = (why: string) => ({ record: "transaction", why });
  if (expire <= create || expire - create > LONGEST_LIFE)
    return flaw("it lives for no time, or for too long");
  const digest = transactionDigest(transaction);
  if (!checker.isSigned("transaction", digest, generator, signature)) {
    return flaw("its signature is not its generator's");
  }
  const creators = new Set<string>([generator.account]);
  for (const [at, receipt] of receipts.entries()) {
    const why =
      whyNoReceipt(receipt, transaction, digest, checker) ??
      whyMisplaced(receipt, { transaction, receipts }, creators);
    if (why !== undefined) return { record: `receipt ${at + 1}`, why };
    creators.add(receipt.creator.account);
  }
  return undefined;
}

/** Why a receipt is none of this transaction's; undefined where it is one. */
export function whyNoReceipt(
  receipt: GossipReceipt,
  { create, expire, ttl }: WitnessedTransaction["transaction"],
  digest: Hex,
  checker: RecordChecker,
): string | undefined {
  if (receipt.transaction !== digest) return "it is of another transaction";
  if (receipt.create < create - CLOCK_SKEW || receipt.create >= expire)
    return "it was not made in its transaction's time";
  if (receipt.receivedAtTtl >= ttl) return "it claims to be nearer than a neighbour";
  if (!checker.isSigned("receipt", receiptDigest(receipt), receipt.creator, receipt.signature)) {
    return "its signature is not its creator's";
  }
  return undefined;
}

/** A receipt is its creator's only one, and the receipt of who passed the transaction on is there. */
function whyMisplaced(
  { creator, receivedAtTtl }: GossipReceipt,
  { transaction: { ttl }, receipts }: WitnessedTransaction,
  creators: ReadonlySet<string>,
): string | undefined {
  if (creators.has(creator.account)) return "its creator has a receipt already, or made the transaction";
  const before = [ttl, ...receipts.map((other) => other.receivedAtTtl)].includes(receivedAtTtl + 1);
  return before ? undefined : "no other receipt shows how it came there";
}

/** What is wrong with a block, by itself. */
export function flawOfBlock(block: GossipBlock, genesis: Hex, checker: RecordChecker): Flaw | undefined {
  const seen = new Set<Hex>();
  for (const [at, witnessed] of block.transactions.entries()) {
    const found = flawOfTransaction(witnessed, checker) ?? flawInBlock(block, witnessed, seen);
    if (found !== undefined) {
      if (found.record === "block") return found;
      const place = `transaction ${at + 1}`;
      return { ...found, record: found.record === "transaction" ? place : `${place}, ${found.record}` };
    }
  }
  const flaw = (why: string) => ({ record: "block", why });
  if (block.genesis !== genesis) return flaw("it is of another network");
  return checker.isSigned("block", blockDigest(block), block.creator, block.signature)
    ? undefined
    : flaw("its signature is not its creator's");
}

function flawInBlock(
  { creator, time }: GossipBlock,
  { transaction, receipts }: WitnessedTransaction,
  seen: Set<Hex>,
): Flaw | undefined {
  const flaw = (why: string) => ({ record: "transaction", why });
  const digest = transactionDigest(transaction);
  if (seen.has(digest)) return flaw("it is in the block twice");
  seen.add(digest);
  if (receipts.length === 0) return flaw("no one measured it");
  // A changed creator or time of a block is the block's flaw: its signature shows it.
  if (transaction.generator.account !== creator.account)
    return { record: "block", why: "it is not of its transactions' generator" };
  return transaction.create > time + CLOCK_SKEW
    ? { record: "block", why: "it is older than its transactions" }
    : undefined;
}
