import type { Hex } from "../../ids.ts";
import { confirmationDigest, type GossipBlock, type GossipConfirmation } from "../records/block.ts";
import { REMEMBERED } from "../records/limits.ts";
import type { RecordSigner } from "../records/signatures.ts";
import {
  type GossipReceipt,
  receiptDigest,
  transactionDigest,
  ttlOnArrival,
  type WitnessedTransaction,
} from "../records/transaction.ts";
import { Remembered } from "./remembered.ts";
import type { GivenReceipt, Kept } from "./state.ts";

/** Receipts that a peer remembers having given; a receipt that it has forgotten it never confirms. */
const MOST_GIVEN = 100_000;

/** What a peer says of others' work: receipts, and of each receipt at most one confirmation. */
export class Witness {
  readonly #signer: RecordSigner;
  readonly #given = new Remembered<Hex, GivenReceipt>(REMEMBERED, MOST_GIVEN);

  constructor(signer: RecordSigner, given: readonly GivenReceipt[]) {
    this.#signer = signer;
    for (const receipt of given) this.#given.set(receipt.digest, receipt, receipt.create);
  }

  /** `accuracy`: from 0 to 1. */
  receiptOf(
    witnessed: WitnessedTransaction,
    accuracy: number,
    now: number,
  ): { readonly receipt: GossipReceipt; readonly kept: Kept } {
    const unsigned = {
      ...{ creator: this.#signer.identity, create: now, receivedAtTtl: ttlOnArrival(witnessed) },
      accuracy: Math.round(accuracy * 1e6),
      transaction: transactionDigest(witnessed.transaction),
    };
    const digest = receiptDigest(unsigned);
    const given = { digest, transaction: unsigned.transaction, create: now };
    this.#given.set(digest, given, now);
    const receipt = { ...unsigned, signature: this.#signer.sign("receipt", digest) };
    return { receipt, kept: { kind: "given", receipt: given } };
  }

  /** Confirms this peer's receipts in a draft; the same again for a draft that comes again. */
  confirm(
    { transactions }: GossipBlock,
    block: Hex,
    now: number,
  ): { readonly confirmations: readonly GossipConfirmation[]; readonly kept: readonly Kept[] } {
    const confirmations: GossipConfirmation[] = [];
    const kept: Kept[] = [];
    for (const receipt of transactions.flatMap(({ receipts }) => receipts)) {
      if (receipt.creator.account !== this.#signer.identity.account) continue;
      const digest = receiptDigest(receipt);
      const given = this.#given.get(digest);
      if (given === undefined || (given.block !== undefined && given.block !== block)) continue;
      if (given.block === undefined) {
        const confirmed = { ...given, block };
        this.#given.set(digest, confirmed, now);
        kept.push({ kind: "given", receipt: confirmed });
      }
      const { transaction } = receipt;
      const unsigned = { creator: this.#signer.identity, transaction, receipt: digest, block };
      confirmations.push({
        ...unsigned,
        signature: this.#signer.sign("confirmation", confirmationDigest(unsigned)),
      });
    }
    return { confirmations, kept };
  }

  forget(now: number): void {
    this.#given.forget(now);
  }
}
