import { z } from "zod";
import type { AbortOptions } from "../../async/abort.ts";
import type { Warn } from "../warnings.ts";
import type { Block } from "./blocks.ts";
import { parseQuantity } from "./quantities.ts";
import { type Rpc, RpcRefusal } from "./rpc.ts";

/** With a head so close to the wall clock's time nobody asks for the pending block's. */
const FRESH_SECONDS = 15;
/** A new head that is so far behind our reckoning corrects it; less is the way that a block takes to us. */
const CORRECTION_SECONDS = 60;
/** From here on a difference to the wall clock is told. */
const SKEW_SECONDS = 120;

export interface Clock {
  /** Takes note of a head, as soon as it is known. */
  see(head: Block): void;
  /** The chain's time, Unix seconds, `head` being the newest block. */
  now(head: Block, options?: AbortOptions): Promise<number>;
  /** What it must be by the last head that was seen, though no node says so now; undefined before the first. */
  reckoned(): number | undefined;
}

/**
 * The chain's time: what deadlines are compared with by the contracts, so by us too. Between two blocks it
 * goes on with the machine's monotonic clock. The wall clock has no say in it: a wrong one would have us
 * act before others are late. A chain that mines on demand may have been quiet for hours before we first
 * look; there the time of its pending block tells.
 */
export function createClock({ rpc, warn }: { rpc: Rpc; warn: Warn }): Clock {
  /** Chain time less monotonic time, both in seconds. */
  let offset: number | undefined;
  let newest: string | undefined;
  let seen = 0;
  let asked: string | undefined;
  let pendingKnown = false;
  let told = false;

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
    if (told || !sure || Math.abs(seconds) < SKEW_SECONDS) return;
    told = true;
    warn({ kind: "clock-differs", seconds });
  };

  return {
    see,
    reckoned: () => (offset === undefined ? undefined : Math.floor(offset + monotonic())),
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
