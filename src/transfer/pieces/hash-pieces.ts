import { open, readFile, rename, stat, writeFile } from "node:fs/promises";
import type { Blob } from "../../ports/transport.ts";
import { toHex } from "../../protocol/bytes.ts";
import { PIECE_BYTES } from "../../protocol/limits.ts";
import { leafHash, merkleRoot } from "../merkle.ts";
import { blobChanged } from "./errors.ts";
import { LEAF_BYTES, pieceCount, pieceLength, sameRoot, splitLeaves } from "./wire.ts";

/**
 * The leaf hashes of a file of `size` bytes, 32 bytes a piece; undefined when the file has another length.
 * @throws the signal's reason; the file system's error
 */
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

/**
 * The blob that a file is.
 * @throws TRANSFER_BLOB_CHANGED when it is written to meanwhile; the file system's error
 */
export async function plainBlob(path: string, signal?: AbortSignal): Promise<Blob> {
  const { size } = await stat(path);
  const leaves = await hashPieces(path, size, signal);
  const root = toHex(merkleRoot(splitLeaves(leaves ?? Buffer.alloc(0))));
  if (leaves === undefined) throw blobChanged({ path, size, root });
  return { path, size, root };
}

/**
 * The leaf list of a blob, 32 bytes a piece. Computed once and cached in `<path>.leaves`; a cache that does not hash
 * to the root is computed again.
 * @throws TRANSFER_BLOB_CHANGED when the file does not hash to the blob's root
 */
export async function leavesOf(blob: Blob, signal?: AbortSignal): Promise<Buffer> {
  const cache = `${blob.path}.leaves`;
  const cached = await readFile(cache).catch(() => undefined);
  if (cached && fits(cached, blob)) return cached;
  const leaves = await hashPieces(blob.path, blob.size, signal);
  if (!leaves || !fits(leaves, blob)) throw blobChanged(blob);
  await writeFile(`${cache}.tmp`, leaves, { mode: 0o600 });
  await rename(`${cache}.tmp`, cache);
  return leaves;
}

function fits(leaves: Buffer, blob: Blob): boolean {
  return (
    leaves.length === pieceCount(blob.size) * LEAF_BYTES &&
    sameRoot(blob.root, merkleRoot(splitLeaves(leaves)))
  );
}
