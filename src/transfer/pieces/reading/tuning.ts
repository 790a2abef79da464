import { PIECE_BYTES } from "../../../protocol/limits.ts";

/** Every threshold of the reader; milliseconds where not said otherwise. */
export interface Tuning {
  readonly startLanes: number;
  readonly maxLanes: number;
  /** Lanes that ask for the leaf list when the first has no answer after `knockMs`. */
  readonly knockLanes: number;
  readonly knockMs: number;
  /**
   * A first answer that took longer comes from afar. There a circuit's window opens slowly, a round trip at
   * a time, and lanes cost next to nothing: as many as may be are opened at once.
   */
  readonly farMs: number;
  /** Lanes added at a time while the aggregate rate rises. */
  readonly laneStep: number;
  /** How long one number of lanes is tried before it is judged. */
  readonly climbMs: number;
  /** A request asks for what its lane carries in so many milliseconds … */
  readonly requestMs: number;
  /** … but for no more than so many pieces. */
  readonly maxRequestPieces: number;
  /** A lane that has never answered gets this long to do so: a rendezvous takes seconds. */
  readonly connectMs: number;
  /** Without a byte for so long, or for 4 round trips if that is longer, a lane is stalled. */
  readonly stallMs: number;
  /** Below `slowShare` of the median rate for so long, a lane is slow. */
  readonly slowMs: number;
  readonly slowShare: number;
  /** How often lanes are looked at and progress is told. */
  readonly tickMs: number;
  /** First and longest pause of a lane slot after failures; it doubles in between. */
  readonly backOffMs: number;
  readonly maxBackOffMs: number;
  /** When nothing at all came for so long, the host is looked up anew, and again every so long. */
  readonly lookUpMs: number;
  /** Give up when less than `giveUpBytes` came anew in all lanes together for so long. */
  readonly giveUpMs: number;
  readonly giveUpBytes: number;
  /** Give up on a piece that came wrong so often. */
  readonly wrongPerPiece: number;
  /** Give up on a piece that broke off so often; circuits do die, so this is more. */
  readonly brokenPerPiece: number;
  /** Verified pieces are made durable this often. */
  readonly checkpointMs: number;
}

export const defaultTuning: Tuning = {
  startLanes: 8,
  maxLanes: 32,
  knockLanes: 4,
  knockMs: 150,
  farMs: 600,
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
