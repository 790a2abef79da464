import type { AbortOptions } from "../../async/abort.ts";
import { IchainError, isIchainError } from "../../errors/error.ts";
import type { Addresses } from "../addresses.ts";
import { type Block, findBlock, readHead } from "../rpc/blocks.ts";
import { type Rpc, RpcRefusal } from "../rpc/rpc.ts";
import { type PlacedLog, type Range, readLogs } from "./logs.ts";
import type { Checkpoint, IndexStore } from "./store.ts";

/** Blocks a request: at first, and at most. */
const FIRST_STEP = 1_000;
const MAX_STEP = 10_000;
/** An answer with fewer logs doubles the next range. */
const FEW_LOGS = 2_000;
/** Tries when the chain is reorganised while it is read. */
const ATTEMPTS = 5;

export interface SyncOptions {
  readonly rpc: Rpc;
  readonly store: IndexStore;
  readonly addresses: Addresses;
  /** Blocks from a log's own up to the newest, both counted, before the log is believed. */
  readonly confirmations: number;
}

/**
 * Brings the index up to the block that `head` confirms, in bounded steps, each stored when it is read; first removes
 * what a reorganisation dropped. Calls wait for one another.
 * @throws CHAIN_SHIFTED when the chain is reorganised during every try
 */
export type Sync = (head: Block, options?: AbortOptions) => Promise<void>;

export function createSync({ rpc, store, addresses, confirmations }: SyncOptions): Sync {
  const { escrow, registry, rating, federated, campaigns, improvements } = addresses;
  const contracts = [escrow, registry, rating, federated, campaigns, improvements].filter(
    (one) => one !== undefined,
  );
  const timedOnes = [campaigns, improvements].map((one) => one?.toLowerCase());
  let step = FIRST_STEP;
  let synced: string | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  async function run(head: Block, abortOptions: AbortOptions): Promise<void> {
    if (synced === head.hash) return;
    const target = head.number - confirmations + 1;
    await undoReorganised(head, target, abortOptions);
    for (let cursor = store.cursor(); (cursor?.number ?? -1) < target; cursor = store.cursor()) {
      const from = cursor === undefined ? Math.min(addresses.block ?? 0, target) : cursor.number + 1;
      const to = Math.min(from + step - 1, target);
      const end = to === head.number ? head : await findBlock(rpc, to, abortOptions);
      if (end === undefined) throw shifted(to);
      await advance(cursor, from, end, abortOptions);
    }
    synced = head.hash;
  }

  async function advance(
    cursor: Checkpoint | undefined,
    from: number,
    end: Block,
    abortOptions: AbortOptions,
  ): Promise<void> {
    const range = { from, to: end.number, hash: end.hash };
    const logs = await logsOrSmallerStep(range, abortOptions);
    if (logs === undefined) return;
    if (!(await continues(cursor, from, end, abortOptions))) throw shifted(end.number);
    if (logs.some(({ block, blockHash }) => block === end.number && blockHash !== end.hash))
      throw shifted(end.number);
    store.append(cursor, await withTimes(logs, end, abortOptions), end);
    if (logs.length < FEW_LOGS) step = Math.min(step * 2, MAX_STEP);
  }

  /**
   * True when what was read belongs to this very chain: it follows the cursor, and its end is now what it was
   * before. Logs of a single block are asked for by its hash, and need no second look.
   */
  async function continues(
    cursor: Checkpoint | undefined,
    from: number,
    end: Block,
    abortOptions: AbortOptions,
  ): Promise<boolean> {
    if (from === end.number && cursor?.number === from - 1) return end.parentHash === cursor.hash;
    const same = async ({ number, hash }: Checkpoint) =>
      (await findBlock(rpc, number, abortOptions))?.hash === hash;
    return (await same(end)) && (cursor === undefined || (await same(cursor)));
  }

  /** Logs of data campaigns with the times of their blocks. */
  async function withTimes(
    logs: readonly PlacedLog[],
    end: Block,
    abortOptions: AbortOptions,
  ): Promise<readonly PlacedLog[]> {
    const timed = ({ address }: PlacedLog) => timedOnes.includes(address);
    const times = new Map([[end.number, end.time]]);
    for (const { block, blockHash } of logs.filter(timed)) {
      if (times.has(block)) continue;
      const found = await findBlock(rpc, block, abortOptions);
      if (found?.hash !== blockHash) throw shifted(block);
      times.set(block, found.time);
    }
    return logs.map((log) => (timed(log) ? { ...log, time: times.get(log.block) } : log));
  }

  /** Undefined when the range was too large for the node or for us; the next one is half of it. */
  async function logsOrSmallerStep(
    range: Range,
    abortOptions: AbortOptions,
  ): Promise<PlacedLog[] | undefined> {
    const blocks = range.to - range.from + 1;
    try {
      const logs = await readLogs(rpc, contracts, range, abortOptions);
      if (logs !== undefined) return logs;
    } catch (error) {
      if (!(error instanceof RpcRefusal)) throw error;
      // Refused for a single block: this node does not have it yet, or a reorganisation dropped it.
      if (blocks === 1) throw shifted(range.to, error);
    }
    step = Math.max(1, Math.floor(blocks / 2));
    return undefined;
  }

  async function undoReorganised(head: Block, target: number, abortOptions: AbortOptions): Promise<void> {
    const cursor = store.cursor();
    if (cursor === undefined || head.hash === cursor.hash || head.parentHash === cursor.hash) return;
    // This node may lag behind the one that answered before: as long as it agrees on what it has, keep everything.
    const common = Math.min(cursor.number, target);
    for (let skip = 0; ; skip = skip * 2 + 1) {
      const known = store.checkpoint(common, skip);
      const agreed =
        known === undefined || (await findBlock(rpc, known.number, abortOptions))?.hash === known.hash;
      if (agreed && skip > 0) store.rollback(known?.number ?? -1);
      if (agreed) return;
    }
  }

  async function syncWithRetries(head: Block, abortOptions: AbortOptions): Promise<void> {
    let newest = head;
    for (let attempt = 1; ; attempt++) {
      try {
        return await run(newest, abortOptions);
      } catch (error) {
        if (!isIchainError(error, "CHAIN_SHIFTED") || attempt === ATTEMPTS) throw error;
        newest = await readHead(rpc, abortOptions);
      }
    }
  }

  return (head, abortOptions = {}) => {
    const turn = queue.then(() => {
      abortOptions.signal?.throwIfAborted();
      return syncWithRetries(head, abortOptions);
    });
    queue = turn.catch(() => undefined);
    return turn;
  };
}

function shifted(block: number, cause?: unknown): IchainError {
  return new IchainError(
    "CHAIN_SHIFTED",
    `The chain was reorganised near block ${block} while it was being read.`,
    { cause },
  );
}
