import { setTimeout as delay } from "node:timers/promises";
import { isIchainError } from "../errors.ts";
import type { Waits } from "../ports/market.ts";
import type { Hex } from "../protocol/ids.ts";
import { type Block, readHead } from "./blocks.ts";
import type { Rpc } from "./rpc.ts";

/** How long an unreachable node is waited for before those who wait are told. */
const PATIENCE_MS = 120_000;

/** The newest block, asked for by one loop however many wait, and by none when nobody does. */
export interface Heads {
  /** Asks now. */
  read(options?: Waits): Promise<Block>;
  /** The newest block as known a poll's time ago or later. */
  recent(options?: Waits): Promise<Block>;
  /** The newest block once its hash is not `known` any more. */
  changed(known: Hex, options?: Waits): Promise<Block>;
  /** Ends all waits (they throw the abort reason). */
  stop(): void;
}

export function watchHeads(rpc: Rpc, pollMs: number): Heads {
  const stopped = new AbortController();
  let next: { promise: Promise<Block>; waiters: number; abort: AbortController } | undefined;
  let newest: Block | undefined;
  let readAt = 0;

  const read: Heads["read"] = async ({ signal } = {}) => {
    newest = await readHead(rpc, { signal });
    readAt = Date.now();
    return newest;
  };

  /** Resolves at the next block after `newest`; shared by all waiters. */
  async function poll(signal: AbortSignal): Promise<Block> {
    const known = newest?.hash;
    let answeredAt = Date.now();
    for (;;) {
      try {
        const head = await read({ signal });
        if (head.hash !== known) return head;
        answeredAt = Date.now();
      } catch (error) {
        if (!isIchainError(error, "CHAIN_UNAVAILABLE") || Date.now() - answeredAt > PATIENCE_MS) throw error;
      }
      await delay(pollMs, undefined, { signal });
    }
  }

  async function shared(signal: AbortSignal | undefined): Promise<Block> {
    if (next === undefined) {
      const abort = new AbortController();
      const promise = poll(AbortSignal.any([abort.signal, stopped.signal]));
      next = { promise, waiters: 0, abort };
      const mine = next;
      promise
        .catch(() => undefined)
        .finally(() => {
          if (next === mine) next = undefined;
        });
    }
    const mine = next;
    mine.waiters++;
    try {
      return await abortable(mine.promise, signal);
    } finally {
      mine.waiters--;
      if (mine.waiters === 0) {
        mine.abort.abort();
        if (next === mine) next = undefined;
      }
    }
  }

  return {
    read,
    recent: async (options) =>
      newest !== undefined && Date.now() - readAt < pollMs ? newest : read(options),
    async changed(known, { signal } = {}) {
      while (newest === undefined || newest.hash === known) {
        stopped.signal.throwIfAborted();
        await shared(signal);
      }
      return newest;
    },
    stop: () => stopped.abort(),
  };
}

/** `promise`, or the abort reason as soon as `signal` is aborted. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
