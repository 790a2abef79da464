import type { Abortable } from "../../../async/abort.ts";
import { merkleRoot } from "../../merkle.ts";
import { badAnswer, tooLarge, truncatedPiece, wrongLeaves } from "../errors.ts";
import type { PieceRequest } from "../ports.ts";
import {
  decodeSize,
  LEAF_BYTES,
  pieceCount,
  piecesPath,
  SIZE_BYTES,
  sameRoot,
  splitLeaves,
} from "../wire.ts";
import type { Lane } from "./lanes/lane.ts";
import type { BlobShape } from "./part-file.ts";
import { type RangeAnswer, requestRange } from "./request-range.ts";

export interface LeafList {
  readonly shape: BlobShape;
  /** The whole blob, not verified yet, when it was small enough to come with the list. */
  readonly inlined: Buffer | undefined;
}

/**
 * Asks for a blob's size and leaves, and for the blob too if it has at most `inline` bytes. The leaves are checked
 * against the root before the size is used.
 * @throws TRANSFER_TOO_LARGE, TRANSFER_WRONG_LEAVES, TRANSFER_TRUNCATED_PIECE, and as `requestRange`
 */
export async function fetchLeafList(
  request: PieceRequest,
  lane: Lane,
  inline: number,
  options: {
    signal: AbortSignal;
    headMs: number;
    /** `wanted`: bytes of the answer that will be read. */
    onAnswer: (wanted: number) => void;
    onBytes: (bytes: number) => void;
  },
): Promise<LeafList> {
  const path = piecesPath(request.root, inline);
  const answer = await requestRange({ ...request, ...options, lane, path });
  const { length } = answer;
  const most = SIZE_BYTES + pieceCount(request.maxBytes) * LEAF_BYTES + inline;
  // Of a longer list only the size is read, for the error to say how large the blob is.
  const wanted = length <= most ? length : SIZE_BYTES;
  options.onAnswer(wanted);
  try {
    if (length < SIZE_BYTES) throw badAnswer("its leaf list is too short");
    const content = await read(answer, wanted, options);
    const size = decodeSize(content);
    if (size === undefined || size > request.maxBytes) throw tooLarge(size ?? Infinity, request.maxBytes);
    const listEnd = SIZE_BYTES + pieceCount(size) * LEAF_BYTES;
    const inlined = size > 0 && size <= inline;
    if (length !== listEnd + (inlined ? size : 0))
      throw badAnswer("its leaf list is not as long as its size");
    const leaves = splitLeaves(content.subarray(SIZE_BYTES, listEnd));
    if (!sameRoot(request.root, merkleRoot(leaves))) throw wrongLeaves();
    return {
      shape: { root: request.root, size, leaves },
      inlined: inlined ? content.subarray(listEnd) : undefined,
    };
  } catch (error) {
    answer.stop();
    throw error;
  }
}

async function read(
  answer: RangeAnswer,
  wanted: number,
  { signal, onBytes }: Abortable & { onBytes: (bytes: number) => void },
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let have = 0;
  try {
    await answer.read((chunk) => {
      onBytes(chunk.length);
      chunks.push(Buffer.from(chunk));
      have += chunk.length;
      if (have >= wanted && wanted < answer.length) answer.stop();
      return undefined;
    });
  } catch {
    signal.throwIfAborted();
  }
  if (have < wanted) throw truncatedPiece(-1);
  return Buffer.concat(chunks);
}
