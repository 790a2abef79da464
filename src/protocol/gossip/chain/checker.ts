import { IchainError } from "../../../errors/error.ts";
import type { Address, Hex } from "../../ids.ts";
import { blockDigest, confirmationDigest, type FinalBlock, finalDigest, isEnough } from "../records/block.ts";
import { type Flaw, flawOfBlock } from "../records/flaws.ts";
import type { RecordChecker } from "../records/signatures.ts";
import { receiptDigest, transactionDigest } from "../records/transaction.ts";

/**
 * Checks a peer's chain block by block: all that can be known without a network. What it remembers grows with the chain:
 * no transaction and no receipt is in it twice.
 */
export class ChainChecker {
  readonly #genesis: Hex;
  readonly #checker: RecordChecker;
  readonly #seen = new Set<Hex>();
  #creator: Address | undefined;
  #height = 0;
  #tip: Hex;
  #time = 0;

  constructor(genesis: Hex, checker: RecordChecker) {
    this.#genesis = genesis;
    this.#checker = checker;
    this.#tip = genesis;
  }

  /** Final digest of the last block, which stands for the whole chain; the network's before the first. */
  get tip(): Hex {
    return this.#tip;
  }

  /** @throws GOSSIP_CHAIN_BROKEN, which names the first wrong record */
  add(final: FinalBlock): void {
    const flaw = this.#flawOf(final);
    if (flaw !== undefined) throw broken(this.#height + 1, flaw);
    const { block } = final;
    this.#height = block.height;
    this.#creator = block.creator.account;
    this.#tip = finalDigest(final);
    this.#time = final.finalizedAt;
  }

  #flawOf(final: FinalBlock): Flaw | undefined {
    const { block, finalizedAt, signature } = final;
    const flaw = flawOfBlock(block, this.#genesis, this.#checker);
    if (flaw !== undefined) return flaw;
    const why = this.#whyMisplaced(block);
    if (why !== undefined) return { record: "block", why };
    const found = this.#flawOfRepeats(final) ?? this.#flawOfConfirmations(final);
    if (found !== undefined) return found;
    const end = (text: string) => ({ record: "finalization", why: text });
    if (finalizedAt < block.time) return end("it is before its block");
    if (!this.#checker.isSigned("final", finalDigest(final), block.creator, signature)) {
      return end("its signature is not its creator's");
    }
    const confirmed = new Set(final.confirmations.map(({ receipt }) => receipt));
    return isEnough(block, confirmed) ? undefined : end("it has too few confirmations");
  }

  #whyMisplaced({ height, previous, creator, time }: FinalBlock["block"]): string | undefined {
    if (height !== this.#height + 1) return `it is not of height ${this.#height + 1}`;
    if (previous !== this.#tip) return "it does not follow the block before it";
    if (this.#creator !== undefined && creator.account !== this.#creator) return "it is of another creator";
    return time < this.#time ? "it is older than the block before it" : undefined;
  }

  #flawOfRepeats({ block }: FinalBlock): Flaw | undefined {
    for (const [at, { transaction }] of block.transactions.entries()) {
      const digest = transactionDigest(transaction);
      if (this.#seen.has(digest)) return { record: `transaction ${at + 1}`, why: "an earlier block has it" };
      this.#seen.add(digest);
    }
    return undefined;
  }

  #flawOfConfirmations({ block, confirmations }: FinalBlock): Flaw | undefined {
    const digest = blockDigest(block);
    const open = new Map(
      block.transactions.flatMap(({ receipts }) =>
        receipts.map((receipt) => [receiptDigest(receipt), receipt] as const),
      ),
    );
    for (const [at, one] of confirmations.entries()) {
      const receipt = open.get(one.receipt);
      const why =
        receipt === undefined
          ? "it is of no receipt of the block, or of one that is confirmed already"
          : one.block !== digest
            ? "it is of another block"
            : one.transaction !== receipt.transaction
              ? "it names another transaction than its receipt"
              : one.creator.account !== receipt.creator.account
                ? "its creator did not make the receipt"
                : this.#checker.isSigned("confirmation", confirmationDigest(one), one.creator, one.signature)
                  ? undefined
                  : "its signature is not its creator's";
      if (why !== undefined) return { record: `confirmation ${at + 1}`, why };
      open.delete(one.receipt);
    }
    return undefined;
  }
}

function broken(block: number, { record, why }: Flaw): IchainError {
  const place = record === "block" ? `block ${block}` : `block ${block}, ${record}`;
  return new IchainError("GOSSIP_CHAIN_BROKEN", `The chain does not hold at ${place}: ${why}.`, {
    details: { block, record, why },
  });
}
