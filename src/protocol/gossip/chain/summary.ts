import type { Address } from "../../ids.ts";
import type { FinalBlock } from "../records/block.ts";

/** What a chain says of its owner's work, block by block. */
export interface BlockSummary {
  readonly height: number;
  readonly finalizedAt: number;
  readonly transactions: number;
  readonly receipts: number;
  readonly confirmations: number;
  /** Mean of all its receipts, from 0 to 1. */
  readonly accuracy: number;
}

export function summariseBlock({ block, confirmations, finalizedAt }: FinalBlock): BlockSummary {
  const receipts = block.transactions.flatMap((one) => one.receipts);
  return {
    height: block.height,
    finalizedAt,
    transactions: block.transactions.length,
    receipts: receipts.length,
    confirmations: confirmations.length,
    accuracy: receipts.reduce((sum, { accuracy }) => sum + accuracy, 0) / 1e6 / receipts.length,
  };
}

/** How much each witness confirmed of a chain, most first. */
export function witnessesOf(blocks: readonly FinalBlock[]): readonly (readonly [Address, number])[] {
  const counts = new Map<Address, number>();
  for (const { creator } of blocks.flatMap(({ confirmations }) => confirmations)) {
    counts.set(creator.account, (counts.get(creator.account) ?? 0) + 1);
  }
  return [...counts].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1));
}
