import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CarWriter } from "@ipld/car";
import { asyncIterableReader, createDecoder } from "@ipld/car/decoder";
import type { CID } from "multiformats/cid";
import type { Abortable } from "../async/abort.ts";
import { IchainError, isIchainError } from "../errors/error.ts";
import type { ContentProgress } from "../ports/content.ts";
import { type Blocks, MAX_BLOCK_BYTES } from "./blocks.ts";
import { checkCid, isBlock } from "./cid.ts";
import { contentTooLarge, type WalkedBlock } from "./walk.ts";

/** Roots of one archive. */
const MAX_ROOTS = 16;
/** Of a block in an archive beside its bytes: length and CID. */
const MAX_ENTRY_BYTES = MAX_BLOCK_BYTES + 128;

interface CarOptions extends Abortable {
  readonly most: number;
  readonly onProgress?: ContentProgress | undefined;
}

/** An archive of `root` and `walked`, its blocks, as a stream of bytes. */
export async function* carOf(root: CID, walked: AsyncIterable<WalkedBlock>): AsyncGenerator<Uint8Array> {
  const { writer, out } = CarWriter.create([root]);
  const written = (async () => {
    for await (const { cid, bytes } of walked) await writer.put({ cid, bytes });
    await writer.close();
  })();
  // Both ends wait for each other: one that fails must end the other.
  const failed = written.then(() => new Promise<never>(() => undefined));
  failed.catch(() => undefined);
  const pieces = out[Symbol.asyncIterator]();
  while (true) {
    const piece = await Promise.race([pieces.next(), failed]);
    if (piece.done) break;
    yield piece.value;
  }
  await written;
}

/**
 * Writes a stream of bytes into a file that is there as a whole, or not at all.
 * @throws CONTENT_IO, and what `pieces` throws
 */
export async function writeWhole(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
  { signal }: Abortable,
): Promise<void> {
  const part = `${path}.part`;
  try {
    await pipeline(Readable.from(pieces), createWriteStream(part, { flush: true }), { signal });
    await rename(part, path);
  } catch (cause) {
    await rm(part, { force: true });
    signal.throwIfAborted();
    if (isIchainError(cause)) throw cause;
    throw new IchainError("CONTENT_IO", `${path} cannot be written.`, { cause });
  }
}

/**
 * Puts the blocks of an archive, of version 1 or 2, into this home.
 * @returns its roots
 * @throws CONTENT_BLOCK_WRONG, CONTENT_CID_UNKNOWN, CONTENT_MALFORMED, CONTENT_TOO_LARGE, CONTENT_IO
 */
export async function readCar(path: string, blocks: Blocks, options: CarOptions): Promise<readonly CID[]> {
  const { most, signal, onProgress } = options;
  const stream = createReadStream(path, { signal });
  try {
    const { size } = await stat(path);
    const reader = asyncIterableReader(stream);
    const exactly: typeof reader.exactly = (length, seek) => {
      if (length > MAX_ENTRY_BYTES) throw malformed(path, "a block larger than 2 MiB");
      return reader.exactly(length, seek);
    };
    const decoder = createDecoder(Object.assign(Object.create(reader), { exactly }));
    const { roots } = await decoder.header();
    if (roots.length === 0 || roots.length > MAX_ROOTS) throw malformed(path, `${roots.length} roots`);
    const known = roots.map(checkCid);
    let done = 0;
    for await (const block of decoder.blocks()) {
      signal.throwIfAborted();
      const cid = checkCid(block.cid);
      done += block.bytes.length;
      if (done > most) throw contentTooLarge(known[0]!, most);
      if (!(await isBlock(cid, block.bytes))) {
        throw new IchainError("CONTENT_BLOCK_WRONG", `A block in ${path} is not what its CID, ${cid}, says.`);
      }
      await blocks.put(cid, block.bytes);
      onProgress?.(done, size);
    }
    return known;
  } catch (cause) {
    signal.throwIfAborted();
    if (isIchainError(cause)) throw cause;
    if (cause instanceof Error && "syscall" in cause) {
      throw new IchainError("CONTENT_IO", `${path} cannot be read.`, { cause });
    }
    throw malformed(path, "what no CAR archive has", cause);
  } finally {
    stream.destroy();
  }
}

function malformed(path: string, what: string, cause?: unknown): IchainError {
  return new IchainError("CONTENT_MALFORMED", `${path} has ${what}.`, {
    cause,
    hint: "Give a CAR archive, as `ichain data export` or `ipfs dag export` writes it.",
  });
}
