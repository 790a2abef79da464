import type { AbortOptions } from "../../async/abort.ts";
import type { ChainPace } from "../../ports/market.ts";
import { findBlock } from "./blocks.ts";
import type { Heads } from "./heads.ts";
import type { Rpc } from "./rpc.ts";

/** Blocks between two looks, and how many spans of them are measured. */
const SPAN = 16;
const SPANS = 3;
/** Slower is taken for a chain that mines on demand or a clock that was moved, faster for none. */
const LEAST_SECONDS = 0.1;
const MOST_SECONDS = 60;
/** A development chain mines when there is something to mine: its quiet hours say nothing of how fast it is. */
const MOST_SECONDS_ON_DEMAND = 12;
const DEVELOPMENT_CHAIN = 31337n;
/** Of a chain too young to tell. */
const UNKNOWN_SECONDS = 1;
const KEEP_MS = 600_000;

/**
 * How fast a chain goes: the median of a few spans of recent blocks, so that one gap, such as an outage or
 * a development chain's leap in time, does not count. Measured at most once in ten minutes.
 */
export function measurePace(
  rpc: Rpc,
  heads: Heads,
  { chainId, confirmations }: { chainId: bigint; confirmations: number },
): (options?: AbortOptions) => Promise<ChainPace> {
  const most = chainId === DEVELOPMENT_CHAIN ? MOST_SECONDS_ON_DEMAND : MOST_SECONDS;
  let known: { pace: ChainPace; at: number } | undefined;
  return async (options) => {
    if (known !== undefined && performance.now() - known.at < KEEP_MS) return known.pace;
    const head = await heads.recent(options);
    const span = Math.min(SPAN, Math.floor(head.number / SPANS));
    const marks = Array.from({ length: SPANS + 1 }, (_, i) => head.number - i * span).slice(1);
    const older = await Promise.all(marks.map((number) => findBlock(rpc, number, options)));
    const times = [head.time, ...older.flatMap((block) => (block === undefined ? [] : [block.time]))];
    const spans = times.slice(1).map((time, i) => ((times[i] as number) - time) / span);
    const measured = spans.toSorted((a, b) => a - b)[Math.floor((spans.length - 1) / 2)];
    const usable = measured !== undefined && Number.isFinite(measured) ? measured : UNKNOWN_SECONDS;
    const blockSeconds = Math.min(most, Math.max(LEAST_SECONDS, usable));
    known = { pace: { blockSeconds, confirmations }, at: performance.now() };
    return known.pace;
  };
}
