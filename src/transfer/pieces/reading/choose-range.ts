import { PIECE_BYTES } from "../../../protocol/limits.ts";
import type { PiecePlan, PieceRange } from "./piece-plan.ts";
import type { Tuning } from "./tuning.ts";

/** What is known of a range under way. */
export interface RangeView {
  readonly range: PieceRange;
  /** Bytes not received yet. */
  readonly bytesLeft: number;
  /** Bytes per second of its lane; 0 while nothing has come. */
  readonly rate: number;
}

/** The lane that a range is chosen for. */
export interface IdleLane {
  /** Bytes per second; 0 when unknown. */
  readonly rate: number;
  readonly rttMs: number;
  /** Lanes that share the work, this one included. */
  readonly lanes: number;
  /** True before the first piece from a distant host: the rate says nothing yet. */
  readonly isFresh: boolean;
}

/** Most bytes that a lane of unknown rate asks for. */
const FIRST_BYTES = 4 << 20;
/** A copy takes bandwidth from the other lanes: the range that it replaces must take this many times as long. */
const COPY_GAIN = 1.5;

/**
 * The next range for an idle lane: missing pieces first; then the tail of the range that would end last; in the
 * endgame a second copy of its last piece. Undefined when none of them would end sooner.
 */
export function chooseRange(
  plan: PiecePlan,
  idle: IdleLane,
  others: readonly RangeView[],
  tuning: Pick<Tuning, "requestMs" | "maxRequestPieces">,
): PieceRange | undefined {
  const { unclaimed } = plan;
  if (unclaimed > 0) return plan.claim(requestPieces(idle, plan, tuning));
  const slowest = others.toSorted((a, b) => secondsOf(b) - secondsOf(a))[0];
  if (!slowest) return undefined;
  const rate = idle.rate || slowest.rate;
  const onePiece = idle.rttMs / 1000 + (rate > 0 ? PIECE_BYTES / rate : 0);
  if (secondsOf(slowest) < onePiece * COPY_GAIN) return undefined;
  const tail = slowest.range.end - slowest.range.next - 1;
  if (tail === 0) return plan.duplicate(slowest.range);
  const share = slowest.rate > 0 && rate > 0 ? rate / (rate + slowest.rate) : 1;
  return plan.steal(slowest.range, Math.min(tail, Math.max(1, Math.round(tail * share))));
}

/**
 * What the lane carries in `requestMs`, at most `maxRequestPieces`, and at most half of its share of the rest. A fresh
 * lane asks for its whole share: a second request would cost a round trip while its window is still small.
 */
function requestPieces(
  { rate, lanes, isFresh }: IdleLane,
  { unclaimed, ranges }: PiecePlan,
  { requestMs, maxRequestPieces }: Pick<Tuning, "requestMs" | "maxRequestPieces">,
): number {
  const carried =
    rate > 0 && !isFresh ? Math.floor((rate * requestMs) / 1000 / PIECE_BYTES) : FIRST_BYTES / PIECE_BYTES;
  const fair = Math.ceil(unclaimed / (isFresh ? Math.max(1, lanes - ranges.size) : 2 * lanes));
  return Math.max(1, Math.min(carried, maxRequestPieces, fair));
}

function secondsOf({ bytesLeft, rate }: RangeView): number {
  return rate > 0 ? bytesLeft / rate : Infinity;
}
