import { z } from "zod";
import type { AbortOptions } from "../../async/abort.ts";
import type { Warn } from "../warnings.ts";
import type { Block } from "./blocks.ts";
import { parseQuantity } from "./quantities.ts";
import { type Rpc, RpcRefusal } from "./rpc.ts";

/** A head within this of the wall clock needs no look at the pending block. */
const FRESH_SECONDS = 15;
/** A new head this far behind our estimate corrects it; less is the block's propagation time. */
const CORRECTION_SECONDS = 60;
/** A difference to the wall clock that is reported. */
const SKEW_SECONDS = 120;

export interface Clock {
  /** Notes a head as soon as it is read. */
  see(head: Block): void;
  /** The chain's time, Unix seconds, `head` being the newest block. */
  now(head: Block, options?: AbortOptions): Promise<number>;
  /** The time extrapolated from the last head, for when no node answers; undefined before the first. */
  estimated(): number | undefined;
}

/**
 * The chain's time, with which contracts compare deadlines. Between blocks it advances with the machine's monotonic
 * clock; the wall clock is not used, since a wrong one would make us act before others are late. On a chain that mines
 * on demand the head may be hours old, so the pending block's time is read.
 */
export function createClock({ rpc, warn }: { rpc: Rpc; warn: Warn }): Clock {
  /** Chain time less monotonic time, both in seconds. */
  let offset: number | undefined;
  let newest: string | undefined;
  let seen = 0;
  let asked: string | undefined;
  let pendingKnown = false;
  let warned = false;

  const learn = (time: number): void => {
    const candidate = time - monotonic();
    if (offset === undefined || candidate > offset || candidate < offset - CORRECTION_SECONDS) {
      offset = candidate;
    }
  };

  const see = (head: Block): void => {
    if (head.hash === newest) return;
    newest = head.hash;
    seen++;
    learn(head.time);
  };

  const compare = (now: number): void => {
    const seconds = Math.round(wall() - now);
    // An old head alone may mean a quiet chain.
    const sure = seconds < 0 || pendingKnown || seen > 1;
    if (warned || !sure || Math.abs(seconds) < SKEW_SECONDS) return;
    warned = true;
    warn({ kind: "clock-differs", seconds });
  };

  return {
    see,
    estimated: () => (offset === undefined ? undefined : Math.floor(offset + monotonic())),
    async now(head, options) {
      see(head);
      if (asked !== head.hash && Math.abs(wall() - head.time) > FRESH_SECONDS) {
        const pending = await readPendingTime(rpc, options);
        asked = head.hash;
        if (pending !== undefined && pending >= head.time) {
          pendingKnown = true;
          if (head.hash === newest) learn(pending);
        }
      }
      const now = Math.max(head.time, Math.floor((offset as number) + monotonic()));
      compare(now);
      return now;
    },
  };
}

const pendingSchema = z.object({ timestamp: parseQuantity });

/** Undefined when the node has no pending block. */
async function readPendingTime(rpc: Rpc, options: AbortOptions | undefined): Promise<number | undefined> {
  try {
    const answer = await rpc.send("eth_getBlockByNumber", ["pending", false], options);
    const parsed = pendingSchema.safeParse(answer);
    return parsed.success ? Number(parsed.data.timestamp) : undefined;
  } catch (error) {
    if (error instanceof RpcRefusal) return undefined;
    throw error;
  }
}

function monotonic(): number {
  return performance.now() / 1000;
}

function wall(): number {
  return Date.now() / 1000;
}
