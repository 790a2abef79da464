import type { Address, Hex } from "../../ids.ts";
import type { GossipBlock, GossipConfirmation } from "../records/block.ts";
import { ENOUGH_OF_ALL, REMEMBERED } from "../records/limits.ts";
import { type GossipReceipt, receiptDigest } from "../records/transaction.ts";
import { Remembered } from "./remembered.ts";

/** How long a draft waits for witnesses that are no neighbours where those that are have confirmed, seconds. */
const FAR_PATIENCE = 600;
/** How long a neighbour brings no far witnesses after those that it brought held a draft up, seconds. */
const BARRED = 86_400;
/** Receipts of which it is known who brought them. */
const MOST_BROUGHT = 10_000;
/** Neighbours that are remembered, past ones included. */
const MOST_BARRED = 1024;

/**
 * Receipts of peers that are no neighbours, by the neighbour that brought them. Such a peer may not exist: accounts cost
 * nothing, and a neighbour can sign for many that never confirm. Each neighbour holds up one draft a day so, for ten
 * minutes; then its own receipts count alone. Held in memory: a process that was killed bars no one for its last draft.
 */
export class FarWitnesses {
  readonly #broughtBy = new Remembered<Hex, Address>(2 * REMEMBERED, MOST_BROUGHT);
  readonly #barred = new Remembered<Address, true>(BARRED, MOST_BARRED);

  /** Whether receipts of far peers are taken of this neighbour. */
  areTakenOf(neighbour: Address): boolean {
    return this.#barred.get(neighbour) === undefined;
  }

  /** These receipts came in, some of them perhaps of neighbours. */
  came(receipts: readonly GossipReceipt[], from: Address, now: number): void {
    for (const receipt of receipts) {
      if (receipt.creator.account !== from) this.#broughtBy.set(receiptDigest(receipt), from, now);
    }
  }

  /**
   * Whether a draft that has too few confirmations is to be given up, because enough neighbours have confirmed and it is
   * far witnesses that have not; who brought those is barred then.
   */
  giveUp(block: GossipBlock, confirmations: ReadonlyMap<Hex, GossipConfirmation>, now: number): boolean {
    if (now < block.time + FAR_PATIENCE) return false;
    const near = new Count();
    const brought = new Map<Address, Count>();
    for (const { transaction, receipts } of block.transactions) {
      for (const receipt of receipts) {
        const digest = receiptDigest(receipt);
        const isConfirmed = confirmations.has(digest);
        if (receipt.receivedAtTtl === transaction.ttl - 1) near.add(isConfirmed);
        else {
          const by = this.#broughtBy.get(digest);
          if (by === undefined) continue;
          const count = brought.get(by) ?? new Count();
          brought.set(by, count);
          count.add(isConfirmed);
        }
      }
    }
    if (!near.isEnough) return false;
    for (const [neighbour, count] of brought) if (!count.isEnough) this.#barred.set(neighbour, true, now);
    return true;
  }

  forget(now: number): void {
    this.#broughtBy.forget(now);
    this.#barred.forget(now);
  }
}

class Count {
  #all = 0;
  #confirmed = 0;

  add(isConfirmed: boolean): void {
    this.#all += 1;
    if (isConfirmed) this.#confirmed += 1;
  }

  get isEnough(): boolean {
    return this.#confirmed * 100 >= this.#all * ENOUGH_OF_ALL;
  }
}
