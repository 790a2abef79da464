import type { AbortOptions } from "../../async/abort.ts";
import type { ChainPace } from "../../ports/market.ts";
import { findBlock } from "./blocks.ts";
import type { Heads } from "./heads.ts";
import type { Rpc } from "./rpc.ts";

/** Blocks in a span, and how many spans are measured. */
const SPAN = 16;
const SPANS = 3;
/** Bounds of a plausible block time, seconds: beyond them the chain mines on demand or its clock was moved. */
const LEAST_SECONDS = 0.1;
const MOST_SECONDS = 60;
/** A development chain mines on demand: its idle hours say nothing of its block time. */
const MOST_SECONDS_ON_DEMAND = 12;
const DEVELOPMENT_CHAIN = 31337n;
/** For a chain with too few blocks to measure. */
const UNKNOWN_SECONDS = 1;
const KEEP_MS = 600_000;

/**
 * A chain's block time: the median over a few spans of recent blocks, so that one gap, such as an outage or a
 * development chain's jump in time, does not count. Measured at most once in ten minutes.
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
