import { readFile, rename, writeFile } from "node:fs/promises";
import type { Blob } from "../../../ports/transport.ts";
import { merkleRoot } from "../../merkle.ts";
import { blobChanged } from "../errors.ts";
import { hashPieces } from "../hash-pieces.ts";
import { LEAF_BYTES, pieceCount, sameRoot, splitLeaves } from "../wire.ts";

/**
 * The leaf list of a blob, 32 bytes a piece. Computed once and cached in `<path>.leaves`; a cache that
 * does not hash to the root is computed anew.
 * @throws TRANSFER_BLOB_CHANGED when the file is not the blob that its root promises.
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
