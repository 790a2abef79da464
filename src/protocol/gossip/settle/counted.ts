import type { Address, Hex } from "../../ids.ts";
import type { FinalBlock } from "../records/block.ts";
import { receiptDigest, transactionDigest } from "../records/transaction.ts";

/** A peer's chain, which was checked (`readChain`). */
export interface PeerEvidence {
  readonly account: Address;
  readonly blocks: readonly FinalBlock[];
}

/** A model that others saw in its generator's name. */
export interface ConfirmedModel {
  readonly generator: Address;
  readonly transaction: Hex;
  readonly model: Hex;
  /** When others had it, by the later half of them; Unix seconds. */
  readonly seenAt: number;
}

/** Why a transaction does not count. */
export type Uncounted = "unconfirmed" | "repeated" | "missing";

export interface CountedModels {
  /** In the order in which they were seen. */
  readonly counted: readonly ConfirmedModel[];
  /** Of each peer. */
  readonly uncounted: ReadonlyMap<Address, readonly Uncounted[]>;
}

/**
 * The models of `[from, until)` that count: in a finished block, with a confirmed receipt of another peer of the
 * settlement, handed over (`has`), and seen for the first time, of any peer. When a model was seen is its witnesses' word,
 * not its generator's.
 */
export function countModels(
  peers: readonly PeerEvidence[],
  { from, until, has }: { from: number; until: number; has: (model: Hex) => boolean },
): CountedModels {
  const staked = new Set(peers.map(({ account }) => account));
  const uncounted = new Map<Address, Uncounted[]>(peers.map(({ account }) => [account, []]));
  const found: ConfirmedModel[] = [];
  for (const { account, blocks } of peers) {
    for (const { block, confirmations } of blocks) {
      const confirmed = new Set(confirmations.map(({ receipt }) => receipt));
      for (const { transaction, receipts } of block.transactions) {
        const times = receipts
          .filter(({ creator }) => staked.has(creator.account) && creator.account !== account)
          .filter((receipt) => confirmed.has(receiptDigest(receipt)))
          .map(({ create }) => create)
          .sort((a, b) => a - b);
        const seenAt = times[times.length >> 1];
        if ((seenAt ?? transaction.create) < from || (seenAt ?? transaction.create) >= until) continue;
        if (seenAt === undefined) uncounted.get(account)!.push("unconfirmed");
        else if (!has(transaction.model)) uncounted.get(account)!.push("missing");
        else
          found.push({
            ...{ generator: account, transaction: transactionDigest(transaction) },
            ...{ model: transaction.model, seenAt },
          });
      }
    }
  }
  const seen = new Set<Hex>();
  const counted = found.sort(bySight).filter(({ generator, model }) => {
    const first = !seen.has(model);
    seen.add(model);
    if (!first) uncounted.get(generator)!.push("repeated");
    return first;
  });
  return { counted, uncounted };
}

function bySight(a: ConfirmedModel, b: ConfirmedModel): number {
  return a.seenAt - b.seenAt || (a.transaction < b.transaction ? -1 : 1);
}
