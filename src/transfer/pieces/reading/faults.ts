import { type IchainError, isIchainError } from "../../../errors/error.ts";
import { hostUnreachable, stalled } from "../errors.ts";
import type { Tuning } from "./tuning.ts";

/** Faults that no further try can change. */
const FINAL = new Set([
  "TRANSFER_FORBIDDEN",
  "TRANSFER_NOT_HOSTED",
  "TRANSFER_TOO_LARGE",
  "TRANSFER_WRONG_LEAVES",
  "TRANSFER_DISK_FAILED",
]);

/**
 * Decides when a transfer gives up: at once on a final fault, on one piece that is wrong or cut short too often, or
 * when less than `giveUpBytes` of new bytes came in `giveUpMs`. Times are milliseconds of one clock.
 */
export class Faults {
  readonly #tuning: Tuning;
  readonly #wrong = new Map<number, number>();
  readonly #broken = new Map<number, number>();
  #last: unknown;
  #mark: { at: number; bytes: number };

  constructor(tuning: Tuning, now: number) {
    this.#tuning = tuning;
    this.#mark = { at: now, bytes: 0 };
  }

  /** The error to end with, or undefined to try again. `piece`: the one under way, −1 for the leaf list. */
  record(error: unknown, piece: number): IchainError | undefined {
    if (!isIchainError(error)) {
      this.#last = error;
      return undefined;
    }
    this.#last = error;
    if (FINAL.has(error.code)) return error;
    if (error.code === "TRANSFER_CORRUPT_PIECE" || error.code === "TRANSFER_BAD_ANSWER")
      return this.#count(this.#wrong, piece) >= this.#tuning.wrongPerPiece ? error : undefined;
    if (error.code === "TRANSFER_TRUNCATED_PIECE")
      return this.#count(this.#broken, piece) >= this.#tuning.brokenPerPiece ? error : undefined;
    return undefined;
  }

  /** The piece was verified: its earlier faults no longer count. */
  clear(piece: number): void {
    this.#wrong.delete(piece);
    this.#broken.delete(piece);
  }

  /**
   * The error to end with when the transfer has made no progress, else undefined. `bytes`: new ones since the start;
   * `missing`: the first piece not verified, once there is a leaf list.
   */
  overdue(now: number, bytes: number, missing?: number): IchainError | undefined {
    const { giveUpMs, giveUpBytes } = this.#tuning;
    if (bytes - this.#mark.bytes >= giveUpBytes) this.#mark = { at: now, bytes };
    if (now - this.#mark.at < giveUpMs) return undefined;
    const last = this.#last;
    if (isIchainError(last) && last.code !== "TRANSFER_UNREACHABLE") {
      return last.code === "TRANSFER_BAD_ANSWER" ? last : stalled(last, missing);
    }
    return last === undefined ? stalled(undefined, missing) : hostUnreachable(last);
  }

  #count(counts: Map<number, number>, piece: number): number {
    const count = (counts.get(piece) ?? 0) + 1;
    counts.set(piece, count);
    return count;
  }
}
