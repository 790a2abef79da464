import { open } from "node:fs/promises";
import { PIECE_BYTES } from "../../protocol/limits.ts";
import { leafHash } from "../merkle.ts";
import { pieceCount, pieceLength } from "./wire.ts";

/** The leaves of a file of `size` bytes, 32 bytes a piece; undefined when it is not that long. */
export async function hashPieces(
  path: string,
  size: number,
  signal?: AbortSignal,
): Promise<Buffer | undefined> {
  await using file = await open(path, "r");
  if ((await file.stat()).size !== size) return undefined;
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  const leaves: Uint8Array[] = [];
  for (let i = 0; i < pieceCount(size); i++) {
    signal?.throwIfAborted();
    const length = pieceLength(i, size);
    const { bytesRead } = await file.read(piece, 0, length, i * PIECE_BYTES);
    if (bytesRead !== length) return undefined;
    leaves.push(leafHash(piece.subarray(0, length)));
  }
  return Buffer.concat(leaves);
}
