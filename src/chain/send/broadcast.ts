import type { Interface } from "ethers";
import type { AbortOptions } from "../../async/abort.ts";
import { retryUnavailable } from "../../async/retry.ts";
import { IchainError, isIchainError } from "../../errors/error.ts";
import type { PreparedTx, Receipt } from "../../ports/market.ts";
import type { Hex } from "../../protocol/ids.ts";
import { explainRefusal } from "../abi/refusals.ts";
import { hexNumber, readNonce } from "../rpc/blocks.ts";
import type { Heads } from "../rpc/heads.ts";
import type { Rpc } from "../rpc/rpc.ts";
import type { Warn } from "../warnings.ts";
import { findReplacement } from "./find-replacement.ts";
import type { Attempt, Outbox } from "./outbox.ts";
import { findReceipt, isKnown, type Mined, sendRaw } from "./raw.ts";
import { requestOf, type Sender } from "./sender.ts";

/** Most fee raises of one call: 12.5 % each, a factor of 3.2 in all. */
const MAX_RAISES = 10;
/** Next round without a new block: a chain that mines on demand makes none while a nonce is missing. */
const RETRY_MS = 2_000;

export interface BroadcastOptions {
  readonly rpc: Rpc;
  readonly heads: Heads;
  readonly outbox: Outbox;
  readonly sender: Sender;
  readonly abi: Interface;
  /** Blocks from the transaction's own up to the newest, both counted, until it counts as done. */
  readonly confirmations: number;
  /** How long a transaction may wait to be mined before its fees are raised. */
  readonly stuckMs: number;
  readonly warn: Warn;
}

export type Broadcast = (tx: PreparedTx, options?: AbortOptions) => Promise<Receipt>;

/**
 * Brings a signed call onto the chain exactly once, also when it is called again after a restart. Each round looks
 * whether an attempt is mined, sends the newest one when the node does not have it, signs again when its nonce went to
 * another transaction, and waits for the next block.
 * @throws TX_REVERTED or the contract's own error when it was mined and reverted
 */
export function createBroadcast(options: BroadcastOptions): Broadcast {
  const { rpc, heads, outbox, sender, confirmations, stuckMs, warn } = options;
  const inOrder = orderedByNonce();
  let warnedOfCap = false;

  return async function broadcast(tx, abortOptions = {}) {
    outbox.adopt(tx);
    for (;;) {
      const head = await retryUnavailable(() => heads.read(abortOptions), abortOptions);
      const mined = await retryUnavailable(() => round(tx.hash, abortOptions), abortOptions);
      if (mined !== undefined && !mined.succeeded)
        throw await reverted(options, mined, tx.kind, abortOptions);
      // The receipt is not enough: the next read is made at the head, which may lag behind on a slower node.
      if (mined !== undefined && head.number - mined.block + 1 >= confirmations) {
        return { hash: mined.attempt.hash, block: mined.block, gasUsed: mined.gasUsed, fee: mined.fee };
      }
      await heads.changed(head.hash, { ...abortOptions, forMs: RETRY_MS });
    }
  };

  async function round(root: Hex, abortOptions: AbortOptions): Promise<Mined | undefined> {
    const mined = await findReceipt(rpc, outbox.attempts(root), abortOptions);
    if (mined !== undefined) return mined;
    await push(root, abortOptions);
    return findReceipt(rpc, outbox.attempts(root), abortOptions);
  }

  /** Sends the newest attempt when the node does not have it. */
  async function push(root: Hex, abortOptions: AbortOptions): Promise<void> {
    const attempts = outbox.attempts(root);
    let attempt = attempts.at(-1)!;
    if (!outbox.claim(root, attempt.nonce)) {
      if (await isKnown(rpc, attempt, abortOptions)) return;
      // Prepared long ago and never sent: the nonce has gone to another call.
      attempt = await sender.again(root, attempt, abortOptions);
      outbox.claim(root, attempt.nonce);
    }
    const { nonce } = attempt;
    const raises = attempts.filter((other) => other.nonce === nonce).length - 1;
    if (Date.now() - attempt.at > stuckMs && raises < MAX_RAISES && attempts.includes(attempt)) {
      attempt = await raise(root, attempt, abortOptions);
    }
    const answer = await inOrder(nonce, () => sendRaw(rpc, attempt, abortOptions));
    if (
      answer === "nonce used" &&
      (await isLost(nonce, abortOptions)) &&
      !(await findReceipt(rpc, attempts, abortOptions))
    ) {
      const { number } = await heads.read(abortOptions);
      const replacement = await findReplacement(rpc, sender.account, attempt, number, abortOptions);
      if (replacement !== undefined) {
        outbox.replace(root, nonce, { hash: replacement, raw: attempt.raw });
        return;
      }
      await sender.again(root, attempt, abortOptions);
      return push(root, abortOptions);
    }
    await fillGap(nonce, abortOptions);
  }

  /** `attempt` with higher fees; unchanged when the caps forbid them, so that it waits for cheaper blocks. */
  async function raise(root: Hex, attempt: Attempt, abortOptions: AbortOptions): Promise<Attempt> {
    try {
      return await sender.raise(root, attempt, abortOptions);
    } catch (error) {
      if (!isIchainError(error, "FEE_TOO_HIGH")) throw error;
      if (!warnedOfCap) warn({ kind: "fee-capped", hash: attempt.hash });
      warnedOfCap = true;
      return attempt;
    }
  }

  /** True when another transaction at `nonce` is confirmed. */
  async function isLost(nonce: number, abortOptions: AbortOptions): Promise<boolean> {
    const head = await heads.read(abortOptions);
    const deep = Math.max(0, head.number - confirmations + 1);
    return (await readNonce(rpc, sender.account, deep, abortOptions)) > nonce;
  }

  /** Fills an unused nonce, such as one that a dead process reserved: nothing after it would be mined. */
  async function fillGap(nonce: number, abortOptions: AbortOptions): Promise<void> {
    const next = await readNonce(rpc, sender.account, "pending", abortOptions);
    if (next >= nonce) return;
    const holder = outbox.holder(next);
    if (holder?.sent) {
      const lost = outbox.attempts(holder.root).findLast((attempt) => attempt.nonce === next);
      if (lost !== undefined) await inOrder(next, () => sendRaw(rpc, lost, abortOptions));
    } else if (!holder?.live) {
      const filler = await sender.fill(next, abortOptions);
      outbox.claim(filler.hash, filler.nonce);
      await inOrder(filler.nonce, () => sendRaw(rpc, filler, abortOptions));
    }
  }
}

/** Why a mined transaction reverted: the state changed between simulation and inclusion. */
async function reverted(
  { rpc, sender, abi }: BroadcastOptions,
  { attempt, block }: Mined,
  kind: PreparedTx["kind"],
  abortOptions: AbortOptions,
): Promise<unknown> {
  const { to, data, value } = requestOf(attempt);
  try {
    await rpc.send(
      "eth_call",
      [{ from: sender.account, to, data, value: hexNumber(value) }, hexNumber(block)],
      abortOptions,
    );
  } catch (error) {
    return explainRefusal(error, abi, kind);
  }
  return new IchainError("TX_REVERTED", `The transaction to ${kind} was mined but reverted.`, {
    details: { hash: attempt.hash, block },
  });
}

/** Runs one task at a time, the least nonce first: some nodes refuse a transaction whose nonce leaves a gap. */
function orderedByNonce(): <T>(nonce: number, work: () => Promise<T>) => Promise<T> {
  const waiting: { nonce: number; go: () => void }[] = [];
  let busy = false;
  return async (nonce, work) => {
    if (busy) {
      await new Promise<void>((go) => {
        waiting.push({ nonce, go });
        waiting.sort((a, b) => a.nonce - b.nonce);
      });
    }
    busy = true;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) busy = false;
      else next.go();
    }
  };
}
