import type { Address, Hex } from "../../ids.ts";
import {
  blockDigest,
  confirmationDigest,
  type FinalBlock,
  finalDigest,
  type GossipBlock,
  type GossipConfirmation,
  isEnough,
} from "../records/block.ts";
import { whyNoReceipt } from "../records/flaws.ts";
import { CLOCK_SKEW, MOST_BLOCK_RECEIPTS, MOST_RECEIPTS, REMEMBERED } from "../records/limits.ts";
import type { RecordChecker, RecordSigner } from "../records/signatures.ts";
import {
  type GossipReceipt,
  type GossipTransaction,
  receiptDigest,
  transactionDigest,
  type WitnessedTransaction,
} from "../records/transaction.ts";
import type { GossipSettings } from "../settings.ts";
import { FarWitnesses } from "./far-witnesses.ts";
import type { Kept, PeerState } from "./state.ts";

/** Own transactions that wait for a block; older ones give way. */
const MOST_WAITING = 1024;

interface OpenDraft {
  readonly block: GossipBlock;
  readonly digest: Hex;
  readonly receipts: ReadonlyMap<Hex, GossipReceipt>;
  readonly confirmations: Map<Hex, GossipConfirmation>;
  sentAt: number;
}

/** A peer's own transactions, from their first receipt to a finished block. */
export class OwnChain {
  readonly #genesis: Hex;
  readonly #signer: RecordSigner;
  readonly #checker: RecordChecker;
  readonly #settings: GossipSettings;
  readonly #far = new FarWitnesses();
  readonly #own = new Map<Hex, WitnessedTransaction>();
  #height: number;
  #tip: Hex;
  #draft: OpenDraft | undefined;

  constructor(
    genesis: Hex,
    { signer, checker }: { readonly signer: RecordSigner; readonly checker: RecordChecker },
    settings: GossipSettings,
    state: PeerState,
  ) {
    this.#genesis = genesis;
    this.#signer = signer;
    this.#checker = checker;
    this.#settings = settings;
    this.#height = state.height;
    this.#tip = state.tip;
    for (const witnessed of state.own) this.#own.set(transactionDigest(witnessed.transaction), witnessed);
    if (state.draft !== undefined) this.#draft = openDraft(state.draft.block, state.draft.confirmations);
  }

  get height(): number {
    return this.#height;
  }

  get tip(): Hex {
    return this.#tip;
  }

  add(transaction: GossipTransaction): Kept[] {
    const digest = transactionDigest(transaction);
    const witnessed = { transaction, receipts: [] };
    this.#own.set(digest, witnessed);
    const oldest = this.#own.size > MOST_WAITING ? [this.#own.keys().next().value!] : [];
    return [{ kind: "own", digest, witnessed }, ...oldest.map((one) => this.#drop(one))];
  }

  /** Receipts of an own transaction come in; those that are none, or too many, are passed over. */
  collect(digest: Hex, receipts: readonly GossipReceipt[], from: Address, now: number): Kept[] {
    const before = this.#own.get(digest);
    if (before === undefined) return [];
    const { transaction } = before;
    const creators = new Set([
      transaction.generator.account,
      ...before.receipts.map(({ creator }) => creator.account),
    ]);
    const added: GossipReceipt[] = [];
    for (const receipt of receipts) {
      const isFar = receipt.receivedAtTtl < transaction.ttl - 1;
      if (isFar && !this.#far.areTakenOf(from)) continue;
      if (creators.has(receipt.creator.account) || before.receipts.length + added.length >= MOST_RECEIPTS)
        continue;
      if (whyNoReceipt(receipt, transaction, digest, this.#checker) !== undefined) continue;
      creators.add(receipt.creator.account);
      added.push(receipt);
    }
    if (added.length === 0) return [];
    this.#far.came(added, from, now);
    const witnessed = { transaction, receipts: [...before.receipts, ...added] };
    this.#own.set(digest, witnessed);
    return [{ kind: "own", digest, witnessed }];
  }

  confirm(block: Hex, confirmations: readonly GossipConfirmation[], now: number): Kept[] {
    const draft = this.#draft;
    if (draft?.digest !== block) return [];
    const added = confirmations.filter((one) => isConfirmation(one, draft, this.#checker));
    for (const one of added) draft.confirmations.set(one.receipt, one);
    const all = draft.confirmations.size === draft.receipts.size;
    return [
      ...added.map((confirmation): Kept => ({ kind: "confirmed", confirmation })),
      ...(all ? [this.#close(draft, now)] : []),
    ];
  }

  /** What time brings: a draft is begun, closed, or given up; `send` is one that is to be told to the neighbours. */
  tick(now: number): { readonly kept: readonly Kept[]; readonly send?: GossipBlock } {
    this.#far.forget(now);
    const draft = this.#draft;
    if (draft === undefined) return this.#begin(now);
    const { block, confirmations } = draft;
    if (now >= block.time + this.#settings.patience && isEnough(block, new Set(confirmations.keys()))) {
      return { kept: [this.#close(draft, now)] };
    }
    if (now >= block.time + REMEMBERED || this.#far.giveUp(block, confirmations, now)) {
      this.#draft = undefined;
      return { kept: [{ kind: "abandoned" }] };
    }
    if (now < draft.sentAt + this.#settings.resend) return { kept: [] };
    draft.sentAt = now;
    return { kept: [], send: block };
  }

  /** A transaction is complete once it has expired: no receipt can be made any more, and its last ones have come. */
  #begin(now: number): { readonly kept: readonly Kept[]; readonly send?: GossipBlock } {
    const gone: Kept[] = [];
    const ready: WitnessedTransaction[] = [];
    for (const [digest, witnessed] of this.#own) {
      const { create, expire } = witnessed.transaction;
      if (now < expire + CLOCK_SKEW) continue;
      const receipts = connected(witnessed);
      // No witness confirms a receipt of which it has forgotten that it gave it.
      if (receipts.length === 0 || now >= create + REMEMBERED) gone.push(this.#drop(digest));
      else if (ready.length < this.#settings.transactions) ready.push({ ...witnessed, receipts });
    }
    const count = ready.reduce((sum, { receipts }) => sum + receipts.length, 0);
    if (ready.length < this.#settings.transactions && count < MOST_BLOCK_RECEIPTS) return { kept: gone };
    const block = this.#draw(fitting(ready), now);
    this.#draft = { ...openDraft(block, []), sentAt: now };
    for (const { transaction } of block.transactions) this.#own.delete(transactionDigest(transaction));
    return { kept: [...gone, { kind: "draft", block }], send: block };
  }

  #draw(transactions: WitnessedTransaction[], now: number): GossipBlock {
    const creator = this.#signer.identity;
    const unsigned = {
      ...{ height: this.#height + 1, previous: this.#tip, creator, time: now },
      ...{ genesis: this.#genesis, transactions },
    };
    return { ...unsigned, signature: this.#signer.sign("block", blockDigest(unsigned)) };
  }

  #close({ block, confirmations }: OpenDraft, now: number): Kept {
    const unsigned = {
      block,
      confirmations: [...confirmations.values()],
      finalizedAt: Math.max(now, block.time),
    };
    const tip = finalDigest(unsigned);
    const final: FinalBlock = { ...unsigned, signature: this.#signer.sign("final", tip) };
    this.#draft = undefined;
    this.#height = block.height;
    this.#tip = tip;
    return { kind: "final", final, tip };
  }

  #drop(digest: Hex): Kept {
    this.#own.delete(digest);
    return { kind: "dropped", digest };
  }
}

function openDraft(block: GossipBlock, confirmations: readonly GossipConfirmation[]): OpenDraft {
  const receipts = block.transactions.flatMap((one) => one.receipts);
  return {
    block,
    digest: blockDigest(block),
    receipts: new Map(receipts.map((receipt) => [receiptDigest(receipt), receipt])),
    confirmations: new Map(confirmations.map((one) => [one.receipt, one])),
    sentAt: 0,
  };
}

function isConfirmation(
  one: GossipConfirmation,
  { digest, receipts, confirmations }: OpenDraft,
  checker: RecordChecker,
): boolean {
  const receipt = receipts.get(one.receipt);
  return (
    receipt !== undefined &&
    !confirmations.has(one.receipt) &&
    one.block === digest &&
    one.transaction === receipt.transaction &&
    one.creator.account === receipt.creator.account &&
    checker.isSigned("confirmation", confirmationDigest(one), one.creator, one.signature)
  );
}

/** Receipts by how near they were made, without those whose way there is missing. */
function connected({ transaction, receipts }: WitnessedTransaction): GossipReceipt[] {
  const known: GossipReceipt[] = [];
  for (const receipt of receipts.toSorted((a, b) => b.receivedAtTtl - a.receivedAtTtl)) {
    const ttls = [transaction.ttl, ...known.map((one) => one.receivedAtTtl)];
    if (ttls.includes(receipt.receivedAtTtl + 1)) known.push(receipt);
  }
  return known;
}

/** As many of the first as a block may have receipts of. */
function fitting(ready: readonly WitnessedTransaction[]): WitnessedTransaction[] {
  let count = 0;
  return ready.filter(({ receipts }) => {
    count += receipts.length;
    return count <= MOST_BLOCK_RECEIPTS;
  });
}
