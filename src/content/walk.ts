import { code as DAG_PB, decode, type PBNode } from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import type { CID } from "multiformats/cid";
import type { Abortable } from "../async/abort.ts";
import { IchainError } from "../errors/error.ts";
import { checkCid } from "./cid.ts";

/** Blocks of one file, and nodes from its root to a leaf; 1 MiB blocks make 64 GiB. */
const MAX_BLOCKS = 65_536;
const MAX_DEPTH = 8;

export interface WalkedBlock {
  readonly cid: CID;
  readonly bytes: Uint8Array;
  /** Bytes of the file that the root claims. */
  readonly total: number;
}

export interface WalkOptions extends Abortable {
  /** How a block is had. Its hash must have been looked at. */
  readonly get: (cid: CID) => Promise<Uint8Array>;
  /** Most bytes of all blocks together, and of the file. */
  readonly most: number;
  /** Blocks that are asked for at once; with 1 the order is depth first, as archives have it. */
  readonly width: number;
}

/**
 * All blocks of the file under `root`, each once.
 * @throws CONTENT_MALFORMED, CONTENT_TOO_LARGE, CONTENT_CID_UNKNOWN, and what `get` throws
 */
export async function* walk(root: CID, options: WalkOptions): AsyncGenerator<WalkedBlock> {
  const { get, most, width, signal } = options;
  // Of each block, the bytes of the file below it, as its parents say.
  const sizes = new Map<string, number | undefined>([[root.toString(), undefined]]);
  const open: { cid: CID; depth: number; size?: number }[] = [{ cid: root, depth: 1 }];
  let bytes = 0;
  let total: number | undefined;
  while (open.length > 0) {
    signal.throwIfAborted();
    const taken = open.splice(-width).toReversed();
    const blocks = await Promise.all(taken.map(async (one) => ({ ...one, bytes: await get(one.cid) })));
    for (const { cid, depth, size, bytes: block } of blocks) {
      bytes += block.length;
      const node = nodeOf(cid, block);
      total ??= node.size;
      if (size !== undefined && size !== node.size)
        throw malformed(cid, "has not the size that its parent says");
      if (bytes > most || total > most || sizes.size > MAX_BLOCKS) throw contentTooLarge(root, most);
      yield { cid, bytes: block, total };
      for (const link of node.links.toReversed()) {
        const key = link.cid.toString();
        const known = sizes.has(key);
        if (known && sizes.get(key) !== link.size) throw malformed(link.cid, "has two sizes");
        if (known) continue;
        if (depth === MAX_DEPTH) throw malformed(root, "has more levels than any file needs");
        sizes.set(key, link.size);
        open.push({ ...link, depth: depth + 1 });
      }
    }
  }
}

interface Node {
  /** Bytes of the file below this block. */
  readonly size: number;
  readonly links: readonly { readonly cid: CID; readonly size: number }[];
}

function nodeOf(cid: CID, block: Uint8Array): Node {
  if (cid.code !== DAG_PB) return { links: [], size: block.length };
  let node: PBNode;
  let file: UnixFS;
  try {
    node = decode(block);
    file = UnixFS.unmarshal(node.Data ?? new Uint8Array());
  } catch (cause) {
    throw malformed(cid, "is no UnixFS node", cause);
  }
  if (file.type !== "file" && file.type !== "raw") throw malformed(cid, `is a ${file.type}, not a file`);
  if (file.blockSizes.length !== node.Links.length)
    throw malformed(cid, "does not say the sizes of its parts");
  const links = node.Links.map(({ Hash }, i) => ({ cid: checkCid(Hash), size: Number(file.blockSizes[i]) }));
  return { links, size: Number(file.fileSize()) };
}

export function malformed(cid: CID, what: string, cause?: unknown): IchainError {
  return new IchainError("CONTENT_MALFORMED", `${cid} ${what}.`, { cause });
}

export function contentTooLarge(cid: CID, most: number): IchainError {
  return new IchainError("CONTENT_TOO_LARGE", `${cid} has more than ${most} bytes.`, { details: { most } });
}
