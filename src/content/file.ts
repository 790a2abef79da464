import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { exporter } from "ipfs-unixfs-exporter";
import { importer } from "ipfs-unixfs-importer";
import { fixedSize } from "ipfs-unixfs-importer/chunker";
import { balanced } from "ipfs-unixfs-importer/layout";
import type { CID } from "multiformats/cid";
import type { Abortable } from "../async/abort.ts";
import { IchainError, isIchainError } from "../errors/error.ts";
import {
  type ContentFile,
  type ContentProfile,
  type ContentProgress,
  contentProfiles,
} from "../ports/content.ts";
import type { Blocks } from "./blocks.ts";
import { contentTooLarge, malformed } from "./walk.ts";

interface ImportOptions extends Abortable {
  readonly profile: ContentProfile;
  /** Where blocks go; without, they are hashed and dropped. */
  readonly blocks: Blocks | undefined;
  readonly onProgress?: ContentProgress | undefined;
}

/**
 * Cuts a file into blocks: leaves without a wrapping, a balanced tree over them. Every setting is given, since a default
 * of the library that changes would change every CID.
 * @throws CONTENT_IO
 */
export async function importFile(path: string, options: ImportOptions): Promise<ContentFile> {
  const { profile, blocks, signal, onProgress } = options;
  const { chunkBytes, links } = contentProfiles[profile];
  const seen = new Set<string>();
  try {
    const { size } = await stat(path);
    const content = watched(createReadStream(path, { signal, highWaterMark: 256 * 1024 }), size, onProgress);
    const store = {
      put: async (cid: CID, bytes: Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>) => {
        seen.add(cid.toString());
        if (blocks !== undefined && bytes instanceof Uint8Array) await blocks.put(cid, bytes);
        return cid;
      },
    };
    for await (const { cid, unixfs, size: whole } of importer([{ content }], store as never, {
      cidVersion: 1,
      rawLeaves: true,
      reduceSingleLeafToSelf: true,
      wrapWithDirectory: false,
      chunker: fixedSize({ chunkSize: chunkBytes }),
      layout: balanced({ maxChildrenPerNode: links }),
      fileImportConcurrency: 1,
      blockWriteConcurrency: 8,
      fieldOrder: "links-first",
    })) {
      const bytes = Number(unixfs?.fileSize() ?? whole);
      return { cid: cid.toString(), bytes, blocks: seen.size };
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (isIchainError(cause)) throw cause;
    throw new IchainError("CONTENT_IO", `${path} cannot be read.`, { cause });
  }
  throw new IchainError("CONTENT_IO", `${path} is no file.`);
}

/**
 * The bytes of a file whose blocks are all here.
 * @throws CONTENT_TOO_LARGE when its tree unfolds to more than `most`, CONTENT_MALFORMED
 */
export async function* contentOf(cid: CID, { store }: Blocks, most: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    const entry = await exporter(cid, store);
    if (!("content" in entry)) throw malformed(cid, "is no file");
    for await (const piece of entry.content()) {
      bytes += piece.length;
      if (bytes > most) throw contentTooLarge(cid, most);
      yield piece;
    }
  } catch (cause) {
    if (isIchainError(cause)) throw cause;
    throw malformed(cid, "does not make the file that it claims", cause);
  }
}

async function* watched(
  pieces: AsyncIterable<Uint8Array>,
  total: number,
  onProgress: ContentProgress | undefined,
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const piece of pieces) {
    yield piece;
    done += piece.length;
    onProgress?.(done, total);
  }
}
