import { PIECE_BYTES } from "../../../protocol/limits.ts";

/** Every threshold of the reader; milliseconds where not said otherwise. */
export interface Tuning {
  readonly startLanes: number;
  readonly maxLanes: number;
  /** Lanes that ask for the leaf list when the first has no answer after `hedgeMs`. */
  readonly hedgeLanes: number;
  readonly hedgeMs: number;
  /**
   * A host whose first answer took longer is distant. There a circuit's window opens slowly, one round trip at a
   * time, and an idle lane costs next to nothing: all lanes that pay are opened at once.
   */
  readonly farMs: number;
  /** Instead of `maxLanes` there. */
  readonly farLanes: number;
  /** Lanes added at a time while the aggregate rate rises. */
  readonly laneStep: number;
  /** How long one number of lanes is measured before the next step. */
  readonly climbMs: number;
  /** A request asks for what its lane carries in this time … */
  readonly requestMs: number;
  /** … but for at most this many pieces. */
  readonly maxRequestPieces: number;
  /** Time for the first answer of a lane: a rendezvous takes seconds. */
  readonly connectMs: number;
  /** Without a byte for this time, or for 4 round trips if that is longer, a lane is stalled. */
  readonly stallMs: number;
  /** Below `slowShare` of the median rate for this time, a lane is slow. */
  readonly slowMs: number;
  readonly slowShare: number;
  /** Interval of checking lanes and reporting progress. */
  readonly tickMs: number;
  /** First and longest pause of a lane slot after failures; it doubles in between. */
  readonly backOffMs: number;
  readonly maxBackOffMs: number;
  /** Without a byte over any lane for this time, the host is looked up again, then at intervals that double. */
  readonly lookUpMs: number;
  /** Give up when all lanes together received less than `giveUpBytes` of new bytes in this time. */
  readonly giveUpMs: number;
  readonly giveUpBytes: number;
  /** Give up on a piece that was wrong this often. */
  readonly wrongPerPiece: number;
  /** Give up on a piece that was cut short this often; more, because circuits do die. */
  readonly brokenPerPiece: number;
  /** Interval of making verified pieces durable. */
  readonly checkpointMs: number;
}

export const defaultTuning: Tuning = {
  startLanes: 8,
  maxLanes: 32,
  hedgeLanes: 4,
  hedgeMs: 150,
  farMs: 600,
  farLanes: 64,
  laneStep: 4,
  climbMs: 6_000,
  requestMs: 30_000,
  maxRequestPieces: (32 << 20) / PIECE_BYTES,
  connectMs: 60_000,
  stallMs: 10_000,
  slowMs: 20_000,
  slowShare: 0.25,
  tickMs: 500,
  backOffMs: 250,
  maxBackOffMs: 5_000,
  lookUpMs: 4_000,
  giveUpMs: 180_000,
  giveUpBytes: 64 * 1024,
  wrongPerPiece: 3,
  brokenPerPiece: 8,
  checkpointMs: 500,
};
