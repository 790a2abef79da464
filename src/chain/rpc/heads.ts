import { setTimeout as delay } from "node:timers/promises";
import { type AbortOptions, raceSignal } from "../../async/abort.ts";
import { retryUnavailable } from "../../async/retry.ts";
import type { Hex } from "../../protocol/ids.ts";
import { type Block, readHead } from "./blocks.ts";
import type { Rpc } from "./rpc.ts";

/** The newest block. All waiting callers share one poll; without a caller nothing is polled. */
export interface Heads {
  /** Asks the node now. */
  read(options?: AbortOptions): Promise<Block>;
  /** The newest block, at most one poll interval old. */
  recent(options?: AbortOptions): Promise<Block>;
  /** Waits until the newest block's hash is not `known`, `forMs` milliseconds at most. */
  changed(known: Hex, options?: AbortOptions & { forMs?: number | undefined }): Promise<Block>;
  /** Ends all waits (they throw the abort reason). */
  stop(): void;
}

/** `see` is called with every head that was read. */
export function watchHeads(rpc: Rpc, pollMs: number, see: (head: Block) => void = () => undefined): Heads {
  const stopped = new AbortController();
  let next: { promise: Promise<Block>; waiters: number; abort: AbortController } | undefined;
  let newest: Block | undefined;
  let readAt = Number.NEGATIVE_INFINITY;

  const read: Heads["read"] = async ({ signal } = {}) => {
    newest = await readHead(rpc, { signal });
    readAt = performance.now();
    see(newest);
    return newest;
  };

  /** Resolves at the next block after `newest`; shared by all waiters. */
  async function poll(signal: AbortSignal): Promise<Block> {
    const known = newest?.hash;
    for (;;) {
      const head = await retryUnavailable(() => read({ signal }), { signal });
      if (head.hash !== known) return head;
      await delay(pollMs, undefined, { signal });
    }
  }

  async function shared(signal: AbortSignal | undefined, forMs: number | undefined): Promise<void> {
    if (next === undefined) {
      const abort = new AbortController();
      const promise = poll(abort.signal);
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
      await raceSignal(mine.promise, signal, forMs);
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
      newest !== undefined && performance.now() - readAt < pollMs ? newest : read(options),
    async changed(known, { signal, forMs } = {}) {
      const until = forMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + forMs;
      while (newest === undefined || (newest.hash === known && performance.now() < until)) {
        stopped.signal.throwIfAborted();
        await shared(signal, forMs === undefined ? undefined : Math.max(0, until - performance.now()));
      }
      return newest;
    },
    stop() {
      stopped.abort();
      next?.abort.abort();
    },
  };
}
