import { PIECE_BYTES } from "../../../protocol/merkle.ts";
import { leafHash } from "../../merkle.ts";
import { corruptPiece, diskFailed, truncatedPiece } from "../errors.ts";
import type { PieceRequest } from "../ports.ts";
import { dataPath, pieceLength } from "../wire.ts";
import { type Answer, get } from "./get.ts";
import type { Lane } from "./lane.ts";
import type { PartFile } from "./part-file.ts";
import type { PiecePlan, Run } from "./piece-plan.ts";

export interface RunContext {
  readonly request: PieceRequest;
  readonly part: PartFile;
  readonly plan: PiecePlan;
  readonly lane: Lane;
  /** Room for one piece, used by one run at a time. */
  readonly buffer: Buffer;
  readonly headMs: number;
  readonly now: () => number;
  /** `left`: bytes of the run still to come. */
  readonly onBytes: (bytes: number, left: number) => void;
  readonly onVerified: (piece: number, bytes: number) => void;
}

/**
 * Fetches the pieces of `run` with one request over one lane. Each piece is checked against its leaf
 * and written before `run.next` moves on; bytes behind a lowered `run.end` are not waited for.
 * @throws TRANSFER_CORRUPT_PIECE or TRANSFER_TRUNCATED_PIECE about `run.next`, and what `get` throws
 */
export async function fetchRun(context: RunContext, run: Run): Promise<void> {
  const { request, part, lane, now } = context;
  const { size } = part.shape;
  const range = { first: run.start * PIECE_BYTES, last: Math.min(run.end * PIECE_BYTES, size) - 1 };
  const signal = AbortSignal.any([lane.signal, run.cancel.signal]);
  const askedAt = now();
  lane.asked(askedAt);
  try {
    const path = dataPath(request.root);
    const asked = { ...request, agent: lane.agent, path, range, piece: run.start, signal };
    const answer = await get({ ...asked, headMs: context.headMs });
    lane.answered(now() - askedAt, now());
    await takeIn(context, run, answer, signal);
  } finally {
    lane.done();
  }
}

async function takeIn(
  context: RunContext,
  run: Run,
  { body, length }: Answer,
  signal: AbortSignal,
): Promise<void> {
  const { lane, buffer, now } = context;
  const { size } = context.part.shape;
  let filled = 0;
  let received = 0;
  let failure: unknown;
  try {
    for await (const chunk of body) {
      lane.received(chunk.length, now());
      for (let at = 0; at < chunk.length && run.next < run.end; ) {
        const wanted = pieceLength(run.next, size);
        const copied = chunk.copy(buffer, filled, at, at + wanted - filled);
        at += copied;
        filled += copied;
        if (filled < wanted) continue;
        // A failure here is ours or the piece's, not the connection's: keep it apart from what follows.
        failure = await settle(context, run, buffer.subarray(0, wanted)).catch((error) => error);
        if (failure) throw failure;
        run.next++;
        filled = 0;
      }
      received += chunk.length;
      context.onBytes(chunk.length, Math.min(run.end * PIECE_BYTES, size) - run.next * PIECE_BYTES - filled);
      // The tail was taken over: cut the request. An untouched one ends by itself and keeps its connection.
      if (run.next >= run.end && received < length) break;
    }
  } catch {
    if (failure) throw failure;
    signal.throwIfAborted();
    throw truncatedPiece(run.next);
  }
  if (run.next < run.end) throw truncatedPiece(run.next);
}

async function settle(context: RunContext, run: Run, bytes: Buffer): Promise<void> {
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
