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
  /** Room for one piece, used by one run at a time. */
  readonly buffer: Buffer;
  readonly headMs: number;
  readonly now: () => number;
  /** `left`: bytes of the run still to come; `filled`: those of `run.next` that are there. */
  readonly onBytes: (bytes: number, left: number, filled: number) => void;
  readonly onVerified: (piece: number, bytes: number) => void;
}

/** The piece's or our own, not the connection's. */
const OWN_FAULTS = new Set(["TRANSFER_CORRUPT_PIECE", "TRANSFER_DISK_FAILED"]);

/**
 * Fetches the pieces of `run` with one request over one lane. Each piece is checked against its leaf
 * and written before `run.next` moves on; bytes behind a lowered `run.end` are not waited for.
 * @throws TRANSFER_CORRUPT_PIECE or TRANSFER_TRUNCATED_PIECE about `run.next`, and what `get` throws
 */
export async function fetchRange(context: RangeContext, run: PieceRange): Promise<void> {
  const { request, part, lane, now } = context;
  const { size } = part.shape;
  const range = { first: run.start * PIECE_BYTES, last: Math.min(run.end * PIECE_BYTES, size) - 1 };
  const signal = AbortSignal.any([lane.signal, run.cancel.signal]);
  const askedAt = now();
  lane.asked(askedAt);
  try {
    const path = dataPath(request.root);
    const answer = await requestRange({
      ...request,
      lane,
      path,
      range,
      piece: run.start,
      signal,
      headMs: context.headMs,
    });
    lane.answered(now() - askedAt, now());
    await takeIn(context, run, answer, signal);
  } finally {
    lane.done();
  }
}

async function takeIn(
  context: RangeContext,
  run: PieceRange,
  answer: RangeAnswer,
  signal: AbortSignal,
): Promise<void> {
  const { lane, buffer, now } = context;
  const { size } = context.part.shape;
  const total = answer.length;
  let filled = 0;
  let received = 0;
  const note = (bytes: number) => {
    received += bytes;
    const left = Math.min(run.end * PIECE_BYTES, size) - run.next * PIECE_BYTES - filled;
    context.onBytes(bytes, left, filled);
  };
  /** Pieces end within the chunk: each is checked and written before the next byte is read. */
  const takePieces = async (chunk: Buffer) => {
    for (let at = 0; at < chunk.length && run.next < run.end; ) {
      const wanted = pieceLength(run.next, size);
      const copied = chunk.copy(buffer, filled, at, at + wanted - filled);
      at += copied;
      filled += copied;
      if (filled < wanted) continue;
      await settle(context, run, buffer.subarray(0, wanted));
      run.next++;
      filled = 0;
    }
    note(chunk.length);
    // The tail was taken over: cut the request. An untouched one ends by itself and keeps its connection.
    if (run.next >= run.end && received < total) answer.stop();
  };
  try {
    await answer.read((chunk) => {
      lane.received(chunk.length, now());
      if (filled + chunk.length >= pieceLength(run.next, size)) return takePieces(chunk);
      filled += chunk.copy(buffer, filled);
      note(chunk.length);
      return undefined;
    });
  } catch (error) {
    if (run.next >= run.end) return;
    signal.throwIfAborted();
    throw isIchainError(error) && OWN_FAULTS.has(error.code) ? error : truncatedPiece(run.next);
  }
}

async function settle(context: RangeContext, run: PieceRange, bytes: Buffer): Promise<void> {
  const { part, plan, lane } = context;
  const piece = run.next;
  if (plan.isVerified(piece)) return;
  if (!part.shape.leaves[piece]!.equals(leafHash(bytes))) throw corruptPiece(piece);
  await part.write(piece, bytes).catch((error: unknown) => {
    throw diskFailed(context.request.path, error);
  });
  if (!plan.verify(piece, run)) return;
  lane.brought++;
  context.onVerified(piece, bytes.length);
}
