import type { Address, Hex } from "../../ids.ts";
import {
  blockDigest,
  confirmationDigest,
  type GossipBlock,
  type GossipConfirmation,
} from "../records/block.ts";
import { flawOfBlock, flawOfTransaction, whyNoReceipt } from "../records/flaws.ts";
import { CLOCK_SKEW, MOST_BLOCK_RECEIPTS, MOST_RECEIPTS, REMEMBERED } from "../records/limits.ts";
import type { RecordChecker, RecordSigner } from "../records/signatures.ts";
import {
  receiptDigest,
  transactionDigest,
  ttlOnArrival,
  type WitnessedTransaction,
} from "../records/transaction.ts";
import type { AveragingRule } from "../rules/rule.ts";
import type { GossipSettings } from "../settings.ts";
import { checksOf, type GossipMessage } from "./messages.ts";
import { type Averaging, ModelBuffer, type OwnModel } from "./models.ts";
import { OwnChain } from "./own-chain.ts";
import { Quota } from "./quota.ts";
import { Remembered } from "./remembered.ts";
import type { Effect, Kept, PeerState } from "./state.ts";
import { Witness } from "./witness.ts";

export interface PeerOptions {
  /** Digest of the network. */
  readonly genesis: Hex;
  readonly signer: RecordSigner;
  readonly checker: RecordChecker;
  readonly settings: GossipSettings;
  readonly rule: AveragingRule;
  /** Of the process before; absent for a new peer. */
  readonly state?: PeerState | undefined;
}

/** Transactions and drafts that a peer knows where to send answers about. */
const MOST_ROUTES = 10_000;
/** Neighbours at most. */
export const MOST_NEIGHBOURS = 64;

/** Where a record came from first, and what has gone back there. */
interface Route {
  readonly from: Address;
  readonly passed: Set<string>;
}

/**
 * A peer of a gossip network, without its world: what happens is told to it with the time (Unix seconds, or ticks), and
 * it answers what is to be done. A simulation and a real peer are this class both.
 */
export class GossipPeer {
  readonly #genesis: Hex;
  readonly #signer: RecordSigner;
  readonly #checker: RecordChecker;
  readonly #settings: GossipSettings;
  readonly #chain: OwnChain;
  readonly #witness: Witness;
  readonly #buffer: ModelBuffer;
  readonly #quota: Quota;
  readonly #routes = new Remembered<Hex, Route>(REMEMBERED, MOST_ROUTES);
  readonly #waiting = new Map<Hex, { readonly witnessed: WitnessedTransaction; readonly from: Address }>();
  #neighbours: ReadonlySet<Address> = new Set();

  constructor({ genesis, signer, checker, settings, rule, state }: PeerOptions) {
    const known = state ?? { height: 0, tip: genesis, own: [], given: [], reputations: [] };
    this.#genesis = genesis;
    this.#signer = signer;
    this.#checker = checker;
    this.#settings = settings;
    this.#chain = new OwnChain(genesis, { signer, checker }, settings, known);
    this.#witness = new Witness(signer, known.given);
    this.#buffer = new ModelBuffer(rule, settings.buffer, known.reputations);
    this.#quota = new Quota(settings.quota);
    // A transaction that was measured before the process ended is not measured again.
    for (const { transaction, create } of known.given) {
      this.#routes.set(transaction, { from: this.account, passed: new Set() }, create);
    }
  }

  get account(): Address {
    return this.#signer.identity.account;
  }

  /** Finished blocks. */
  get height(): number {
    return this.#chain.height;
  }

  get reputations(): ReadonlyMap<Address, number> {
    return this.#buffer.reputations;
  }

  /** Digests of received models that are still to be measured or averaged; others can go. */
  get models(): ReadonlySet<Hex> {
    const measured = [...this.#waiting.values()].map(({ witnessed }) => witnessed.transaction.model);
    return new Set([...this.#buffer.waiting, ...measured]);
  }

  /** Of those, the ones that the next averaging is of. */
  get buffered(): readonly Hex[] {
    return this.#buffer.waiting;
  }

  /** Those that messages are taken from and sent to; the first ones where they are too many. */
  meet(neighbours: Iterable<Address>): void {
    this.#neighbours = new Set([...neighbours].slice(0, MOST_NEIGHBOURS));
    this.#quota.keepOnly(this.#neighbours);
  }

  /** A model of its own is trained; `bytes` as it travels, `model` their SHA-256. */
  publish({ model, bytes }: { readonly model: Hex; readonly bytes: number }, now: number): Effect[] {
    const unsigned = {
      ...{ generator: this.#signer.identity, create: now, expire: now + this.#settings.expire },
      ...{ model, bytes, ttl: this.#settings.ttl },
    };
    const signature = this.#signer.sign("transaction", transactionDigest(unsigned));
    const transaction = { ...unsigned, signature };
    const witnessed = { transaction, receipts: [] };
    return [...keep(this.#chain.add(transaction)), ...this.#tell({ kind: "transaction", witnessed })];
  }

  /** A message that was parsed by its schema, from a neighbour. */
  receive(from: Address, message: GossipMessage, now: number): Effect[] {
    if (!this.#neighbours.has(from)) return refused(from, "it is no neighbour");
    if (!this.#quota.take(from, checksOf(message), now)) return refused(from, "it has used its quota up");
    switch (message.kind) {
      case "transaction":
        return this.#hear(from, message.witnessed, now);
      case "draft":
        return this.#examine(from, message, now);
      case "confirmations":
        return this.#passConfirmations(from, message.block, message.confirmations, now);
    }
  }

  /** `accuracy`: share of right answers of a transaction's model, from 0 to 1. */
  measured(digest: Hex, accuracy: number, now: number): Effect[] {
    const waiting = this.#waiting.get(digest);
    this.#waiting.delete(digest);
    if (waiting === undefined || waiting.witnessed.transaction.expire <= now) return [];
    const { witnessed, from } = waiting;
    const { receipt, kept } = this.#witness.receiptOf(witnessed, accuracy, now);
    this.#routes.get(digest)?.passed.add(receiptDigest(receipt));
    const receipts = [...witnessed.receipts, receipt];
    const met = new Set(receipts.map(({ creator }) => creator.account));
    // Where it goes no further, the receipt goes back alone; whose receipt is there has the transaction.
    const further = receipt.receivedAtTtl > 0 ? [...this.#neighbours].filter((one) => !met.has(one)) : [];
    const message = { kind: "transaction", witnessed: { ...witnessed, receipts } } as const;
    const { model, generator } = witnessed.transaction;
    const full = this.#buffer.add({ model, generator: generator.account, accuracy });
    return [
      ...keep([kept]),
      ...this.#tell(message, new Set([...further, from])),
      ...(full ? [{ kind: "average" } as const] : []),
    ];
  }

  /** The model did not come, or is none. */
  unmeasurable(digest: Hex): void {
    this.#waiting.delete(digest);
  }

  /** How to make the next model. @throws GOSSIP_RULE_INVALID */
  average(own: OwnModel): { readonly averaging: Averaging; readonly effects: readonly Effect[] } {
    const { averaging, kept } = this.#buffer.average(own);
    return { averaging, effects: keep(kept) };
  }

  /** To be called about once a second. */
  tick(now: number): Effect[] {
    this.#routes.forget(now);
    this.#witness.forget(now);
    for (const [digest, { witnessed }] of this.#waiting) {
      if (witnessed.transaction.expire <= now) this.#waiting.delete(digest);
    }
    const { kept, send: block } = this.#chain.tick(now);
    if (block === undefined) return keep(kept);
    const hops = Math.max(...block.transactions.map(({ transaction }) => transaction.ttl));
    return [...keep(kept), ...this.#tell({ kind: "draft", block, hops })];
  }

  #hear(from: Address, witnessed: WitnessedTransaction, now: number): Effect[] {
    const { transaction, receipts } = witnessed;
    const digest = transactionDigest(transaction);
    if (transaction.generator.account === this.account) {
      // Who is next to this peer it knows: a neighbour cannot make up others that never confirm.
      const plausible = receipts.filter(
        ({ receivedAtTtl, creator }) =>
          receivedAtTtl < transaction.ttl - 1 || this.#neighbours.has(creator.account),
      );
      return keep(this.#chain.collect(digest, plausible, from, now));
    }
    const route = this.#routes.get(digest);
    if (route !== undefined) return this.#passReceipts(route, witnessed, digest);
    if (transaction.create > now + CLOCK_SKEW) return refused(from, "its transaction is from the future");
    if (transaction.expire <= now) return refused(from, "its transaction has expired");
    if (ttlOnArrival(witnessed) < 0) return [];
    if (receipts.length > transaction.ttl)
      return refused(from, "more receipts came with it than steps it made");
    // Measured by this peer once, which has forgotten it: a second receipt would be worth nothing.
    if (receipts.some(({ creator }) => creator.account === this.account)) return [];
    const flaw = flawOfTransaction(witnessed, this.#checker);
    if (flaw !== undefined) return refused(from, `${flaw.record}: ${flaw.why}`);
    const before = [...this.#waiting.values()].filter((one) => one.from === from).length;
    if (before >= this.#settings.pending) return refused(from, "too many of its models wait");
    this.#routes.set(digest, { from, passed: new Set(receipts.map(receiptDigest)) }, now);
    this.#waiting.set(digest, { witnessed, from });
    const { model, bytes } = transaction;
    return [{ kind: "measure", transaction: digest, model, bytes, from }];
  }

  /** Receipts that further peers made go back the way on which the transaction came. */
  #passReceipts(
    { from, passed }: Route,
    { transaction, receipts }: WitnessedTransaction,
    digest: Hex,
  ): Effect[] {
    const added = receipts.filter((receipt) => {
      const name = receiptDigest(receipt);
      if (passed.has(name) || passed.size >= MOST_RECEIPTS) return false;
      if (whyNoReceipt(receipt, transaction, digest, this.#checker) !== undefined) return false;
      passed.add(name);
      return true;
    });
    if (added.length === 0) return [];
    return this.#tell({ kind: "transaction", witnessed: { transaction, receipts: added } }, new Set([from]));
  }

  #examine(from: Address, { block, hops }: { block: GossipBlock; hops: number }, now: number): Effect[] {
    const digest = blockDigest(block);
    const route = this.#routes.get(digest);
    if (block.creator.account === this.account) return [];
    // One way back is enough, while it is there; none is better than to its creator.
    const known = route !== undefined && route.from !== from && this.#neighbours.has(route.from);
    if (known && from !== block.creator.account) return [];
    const flaw = flawOfBlock(block, this.#genesis, this.#checker);
    if (flaw !== undefined) return refused(from, `${flaw.record}: ${flaw.why}`);
    if (block.time > now + CLOCK_SKEW) return refused(from, "its block is from the future");
    // A draft that comes again asks for all its confirmations again: some were lost.
    this.#routes.set(digest, { from, passed: new Set() }, now);
    const { confirmations, kept } = this.#witness.confirm(block, digest, now);
    const others = [...this.#neighbours].filter((one) => one !== from && one !== block.creator.account);
    return [
      ...keep(kept),
      ...(confirmations.length === 0
        ? []
        : this.#tell(
            { kind: "confirmations", block: digest, confirmations: [...confirmations] },
            new Set([from]),
          )),
      ...(hops > 1 ? this.#tell({ kind: "draft", block, hops: hops - 1 }, new Set(others)) : []),
    ];
  }

  #passConfirmations(
    from: Address,
    block: Hex,
    confirmations: readonly GossipConfirmation[],
    now: number,
  ): Effect[] {
    const route = this.#routes.get(block);
    if (route === undefined) return keep(this.#chain.confirm(block, confirmations, now));
    const added = confirmations.filter((one) => {
      const name = `${one.receipt} ${one.creator.account}`;
      if (one.block !== block || route.passed.has(name) || route.passed.size >= MOST_BLOCK_RECEIPTS)
        return false;
      if (!this.#checker.isSigned("confirmation", confirmationDigest(one), one.creator, one.signature))
        return false;
      route.passed.add(name);
      return true;
    });
    if (added.length === 0 || route.from === from) return [];
    return this.#tell({ kind: "confirmations", block, confirmations: added }, new Set([route.from]));
  }

  /** To all neighbours where none are named; to no one who has left. */
  #tell(message: GossipMessage, to: ReadonlySet<Address> = this.#neighbours): Effect[] {
    const there = [...to].filter((one) => this.#neighbours.has(one));
    return there.length === 0 ? [] : [{ kind: "send", to: there, message }];
  }
}

function keep(kept: readonly Kept[]): Effect[] {
  return kept.map((one) => ({ kind: "keep", kept: one }));
}

function refused(from: Address, why: string): Effect[] {
  return [{ kind: "refused", from, why }];
}
