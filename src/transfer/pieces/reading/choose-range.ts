import { PIECE_BYTES } from "../../../protocol/limits.ts";
import type { PiecePlan, PieceRange } from "./piece-plan.ts";
import type { Tuning } from "./tuning.ts";

/** What is known of a run under way. */
export interface RangeView {
  readonly run: PieceRange;
  /** Bytes still to come. */
  readonly bytesLeft: number;
  /** Bytes per second of its lane; 0 while nothing has come. */
  readonly rate: number;
}

export interface Asker {
  /** Bytes per second; 0 when unknown. */
  readonly rate: number;
  readonly rttMs: number;
  readonly lanes: number;
}

/** What a lane of unknown rate asks for at most. */
const FIRST_BYTES = 4 << 20;
/** A copy costs the other lanes their share: it must be so much faster than what it replaces. */
const COPY_GAIN = 1.5;

/**
 * The next run for a lane that has none: missing pieces first; then the tail of the run that would end
 * last; in the endgame a second copy of its last piece. Undefined when nothing would end sooner.
 */
export function chooseRange(
  plan: PiecePlan,
  asker: Asker,
  others: readonly RangeView[],
  tuning: Pick<Tuning, "requestMs" | "maxRequestPieces">,
): PieceRange | undefined {
  const { unclaimed } = plan;
  if (unclaimed > 0) return plan.claim(requestPieces(asker, unclaimed, tuning));
  const slowest = others.toSorted((a, b) => secondsOf(b) - secondsOf(a))[0];
  if (!slowest) return undefined;
  const rate = asker.rate || slowest.rate;
  const onePiece = asker.rttMs / 1000 + (rate > 0 ? PIECE_BYTES / rate : 0);
  if (secondsOf(slowest) < onePiece * COPY_GAIN) return undefined;
  const tail = slowest.run.end - slowest.run.next - 1;
  if (tail === 0) return plan.duplicate(slowest.run);
  const share = slowest.rate > 0 && rate > 0 ? rate / (rate + slowest.rate) : 1;
  return plan.steal(slowest.run, Math.min(tail, Math.max(1, Math.round(tail * share))));
}

/** rate × 30 s within 1–32 MiB, and no more than leaves a few requests for every lane. */
function requestPieces(
  { rate, lanes }: Asker,
  unclaimed: number,
  { requestMs, maxRequestPieces }: Pick<Tuning, "requestMs" | "maxRequestPieces">,
): number {
  const carried = rate > 0 ? Math.floor((rate * requestMs) / 1000 / PIECE_BYTES) : FIRST_BYTES / PIECE_BYTES;
  const fair = Math.ceil(unclaimed / (2 * lanes));
  return Math.max(1, Math.min(carried, maxRequestPieces, fair));
}

function secondsOf({ bytesLeft, rate }: RangeView): number {
  return rate > 0 ? bytesLeft / rate : Infinity;
}
