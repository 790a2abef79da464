import { FsBlockstore } from "blockstore-fs";
import type { CID } from "multiformats/cid";
import { IchainError } from "../errors/error.ts";
import { isBlock } from "./cid.ts";

/** Largest block, bytes: what Bitswap and gateways pass on. */
export const MAX_BLOCK_BYTES = 2 * 1024 * 1024;

/** A file of this home's blocks that is not what its name says, after a power cut, is none, and is removed. */
class CheckedBlockstore extends FsBlockstore {
  override async *get(cid: CID, options?: { signal?: AbortSignal }): AsyncGenerator<Uint8Array> {
    const bytes = await wholeBlock(super.get(cid, options));
    if (!(await isBlock(cid, bytes))) {
      await super.delete(cid);
      throw missing(cid);
    }
    yield bytes;
  }
}

/** The blocks that a home keeps, a file each. */
export interface Blocks {
  /** For libraries; what it gives has been looked at. */
  readonly store: CheckedBlockstore;
  find(cid: CID): Promise<Uint8Array | undefined>;
  /** @throws CONTENT_MISSING */
  get(cid: CID): Promise<Uint8Array>;
  /** @throws CONTENT_IO */
  put(cid: CID, bytes: Uint8Array): Promise<void>;
}

/** @throws CONTENT_IO */
export async function openBlocks(folder: string): Promise<Blocks> {
  const store = new CheckedBlockstore(folder);
  await store.open().catch((cause) => {
    throw new IchainError("CONTENT_IO", `The folder of blocks, ${folder}, cannot be opened.`, { cause });
  });
  const find = async (cid: CID) => {
    if (!(await store.has(cid))) return undefined;
    return wholeBlock(store.get(cid)).catch(() => undefined);
  };
  return {
    store,
    find,
    async get(cid) {
      const bytes = await find(cid);
      if (bytes === undefined) throw missing(cid);
      return bytes;
    },
    async put(cid, bytes) {
      await store.put(cid, bytes).catch((cause) => {
        throw new IchainError("CONTENT_IO", `Block ${cid} cannot be written to ${folder}.`, { cause });
      });
    },
  };
}

/**
 * A block that comes in pieces.
 * @throws CONTENT_TOO_LARGE beyond {@link MAX_BLOCK_BYTES}
 */
export async function wholeBlock(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > MAX_BLOCK_BYTES) {
      throw new IchainError("CONTENT_TOO_LARGE", "A block is larger than 2 MiB.", {
        hint: "No implementation passes such blocks on: its author must cut the file smaller.",
      });
    }
    all.push(piece);
  }
  return all.length === 1 ? all[0]! : Buffer.concat(all);
}

function missing(cid: CID): IchainError {
  return new IchainError("CONTENT_MISSING", `This home does not have block ${cid}.`);
}
