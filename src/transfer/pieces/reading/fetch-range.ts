import { linkSignals } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import { PIECE_BYTES } from "../../../protocol/limits.ts";
import { leafHash } from "../../merkle.ts";
import { corruptPiece, diskFailed, truncatedPiece } from "../errors.ts";
import type { PieceRequest } from "../ports.ts";
import { dataPath, pieceLength } from "../wire.ts";
import type { Lane } from "./lanes/lane.ts";
import type { PartFile } from "./part-file.ts";
import type { PiecePlan, PieceRange } from "./piece-plan.ts";
import { type RangeAnswer, requestRange } from "./request-range.ts";

export interface RangeContext {
  readonly request: PieceRequest;
  readonly part: PartFile;
  readonly plan: PiecePlan;
  readonly lane: Lane;
  /** Room for one piece, used by one range at a time. */
  readonly buffer: Buffer;
  /** Milliseconds until the headers must be complete. */
  readonly headMs: number;
  /** Milliseconds. */
  readonly now: () => number;
  /** `left`: bytes of the range not received yet; `filled`: those received of the piece `range.next`. */
  readonly onBytes: (bytes: number, left: number, filled: number) => void;
  readonly onVerified: (piece: number, bytes: number) => void;
}

/** Faults of the piece or of this machine; every other one is the connection's. */
const NOT_OF_CONNECTION = new Set(["TRANSFER_CORRUPT_PIECE", "TRANSFER_DISK_FAILED"]);

/**
 * Fetches the pieces of `range` with one request over one lane. Each piece is checked against its leaf and written
 * before `range.next` advances; bytes beyond a lowered `range.end` are not waited for.
 * @throws TRANSFER_CORRUPT_PIECE, TRANSFER_TRUNCATED_PIECE about `range.next`; TRANSFER_DISK_FAILED; and as
 *   `requestRange`
 */
export async function fetchRange(context: RangeContext, range: PieceRange): Promise<void> {
  const { request, part, lane, now } = context;
  const { size } = part.shape;
  const bytes = { first: range.start * PIECE_BYTES, last: Math.min(range.end * PIECE_BYTES, size) - 1 };
  using either = linkSignals([lane.signal, range.cancel.signal]);
  const { signal } = either;
  const askedAt = now();
  lane.asked(askedAt);
  try {
    const path = dataPath(request.root);
    const answer = await requestRange({
      ...request,
      lane,
      path,
      range: bytes,
      piece: range.start,
      signal,
      headMs: context.headMs,
    });
    lane.answered(now() - askedAt, now());
    await receive(context, range, answer, signal);
  } finally {
    lane.done();
  }
}

async function receive(
  context: RangeContext,
  range: PieceRange,
  answer: RangeAnswer,
  signal: AbortSignal,
): Promise<void> {
  const { lane, buffer, now } = context;
  const { size } = context.part.shape;
  const total = answer.length;
  let filled = 0;
  let received = 0;
  const report = (bytes: number) => {
    received += bytes;
    const left = Math.min(range.end * PIECE_BYTES, size) - range.next * PIECE_BYTES - filled;
    context.onBytes(bytes, left, filled);
  };
  /** For a chunk that completes pieces: each is checked and written before the next byte is read. */
  const completePieces = async (chunk: Buffer) => {
    for (let at = 0; at < chunk.length && range.next < range.end; ) {
      const wanted = pieceLength(range.next, size);
      const copied = chunk.copy(buffer, filled, at, at + wanted - filled);
      at += copied;
      filled += copied;
      if (filled < wanted) continue;
      await verifyAndWrite(context, range, buffer.subarray(0, wanted));
      range.next++;
      filled = 0;
    }
    report(chunk.length);
    // Another lane took over the tail: cut the request. One that was left whole ends and keeps its connection.
    if (range.next >= range.end && received < total) answer.stop();
  };
  try {
    await answer.read((chunk) => {
      lane.received(chunk.length, now());
      if (filled + chunk.length >= pieceLength(range.next, size)) return completePieces(chunk);
      filled += chunk.copy(buffer, filled);
      report(chunk.length);
      return undefined;
    });
  } catch (error) {
    if (range.next >= range.end) return;
    signal.throwIfAborted();
    throw isIchainError(error) && NOT_OF_CONNECTION.has(error.code) ? error : truncatedPiece(range.next);
  }
}

async function verifyAndWrite(context: RangeContext, range: PieceRange, bytes: Buffer): Promise<void> {
  const { part, plan, lane } = context;
  const piece = range.next;
  if (plan.isVerified(piece)) return;
  if (!part.shape.leaves[piece]!.equals(leafHash(bytes))) throw corruptPiece(piece);
  await part.write(piece, bytes).catch((error: unknown) => {
    throw diskFailed(context.request.path, error);
  });
  if (!plan.verify(piece, range)) return;
  lane.delivered++;
  context.onVerified(piece, bytes.length);
}
