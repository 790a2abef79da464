import { type FileHandle, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fromHex } from "../../../protocol/bytes.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { PIECE_BYTES } from "../../../protocol/limits.ts";
import { syncFolder, writeAll } from "../../files.ts";
import { leafHash } from "../../merkle.ts";
import { encodeSize, pieceLength } from "../wire.ts";

const MAGIC = Buffer.from("ichpart1");

/** Size and leaves of a blob, checked against its root. */
export interface BlobShape {
  readonly root: Hex;
  readonly size: number;
  readonly leaves: readonly Buffer[];
}

/**
 * A partly fetched blob: `<path>.part` has the bytes, `<path>.state` the shape and a bit for each piece that is
 * verified and durable. A bit is written only after its data is on disk, and on a resume the piece of each set bit is
 * hashed again. Every method throws the file system's errors.
 */
export class PartFile {
  readonly shape: BlobShape;
  /** Pieces that were verified when the file was opened. */
  readonly verified: ReadonlySet<number>;
  readonly #path: string;
  readonly #data: FileHandle;
  readonly #state: FileHandle;
  readonly #bits: Buffer;
  readonly #bitsAt: number;
  readonly #pending: number[] = [];
  #flushing: Promise<void> = Promise.resolve();

  private constructor(
    path: string,
    shape: BlobShape,
    data: FileHandle,
    state: FileHandle,
    bits: Buffer,
    verified: ReadonlySet<number>,
  ) {
    this.#path = path;
    this.shape = shape;
    this.#data = data;
    this.#state = state;
    this.#bits = bits;
    this.#bitsAt = stateHead(shape).length;
    this.verified = verified;
  }

  /** Starts from nothing, over whatever is at `path`. */
  static async create(path: string, shape: BlobShape): Promise<PartFile> {
    const bits = Buffer.alloc(Math.ceil(shape.leaves.length / 8));
    await rm(`${path}.state`, { force: true });
    const data = await open(`${path}.part`, "w+", 0o600);
    try {
      await data.truncate(shape.size);
      await writeFile(`${path}.state.tmp`, Buffer.concat([stateHead(shape), bits]), {
        mode: 0o600,
        flush: true,
      });
      await rename(`${path}.state.tmp`, `${path}.state`);
      return new PartFile(path, shape, data, await open(`${path}.state`, "r+"), bits, new Set());
    } catch (error) {
      await data.close();
      throw error;
    }
  }

  /** Continues what an earlier fetch of the same shape left; undefined if there is nothing usable. */
  static async resume(path: string, shape: BlobShape, signal?: AbortSignal): Promise<PartFile | undefined> {
    const state = await readFile(`${path}.state`).catch(() => undefined);
    const bits = state && bitsOf(state, shape);
    const data = bits && (await open(`${path}.part`, "r+").catch(() => undefined));
    if (!data) return undefined;
    try {
      const verified = await recheck(data, shape, bits, signal);
      bits.fill(0);
      for (const piece of verified) setBit(bits, piece);
      await data.truncate(shape.size);
      return new PartFile(path, shape, data, await open(`${path}.state`, "r+"), bits, verified);
    } catch (error) {
      await data.close();
      throw error;
    }
  }

  /** Writes a verified piece; it is durable after the next `flush`. */
  async write(piece: number, bytes: Uint8Array): Promise<void> {
    await writeAll(this.#data, bytes, piece * PIECE_BYTES);
    this.#pending.push(piece);
  }

  /** Makes every piece written so far durable, then marks them. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(async () => {
      if (this.#pending.length === 0) return;
      const pieces = this.#pending.splice(0);
      await this.#data.datasync();
      for (const piece of pieces) setBit(this.#bits, piece);
      await writeAll(this.#state, this.#bits, this.#bitsAt);
      await this.#state.datasync();
    });
    return this.#flushing;
  }

  /** Renames the complete file to `path` and removes the state. Call it once every piece is written. */
  async finish(): Promise<void> {
    await this.flush();
    await this.#data.sync();
    await rename(`${this.#path}.part`, this.#path);
    await syncFolder(dirname(this.#path));
    await rm(`${this.#path}.state`, { force: true });
  }

  /** Marks the pieces written so far, as far as possible, and closes the files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush().catch(() => {});
    await Promise.all([this.#data.close(), this.#state.close()]);
  }
}

function setBit(bits: Buffer, piece: number): void {
  bits[piece >> 3]! |= 1 << (piece & 7);
}

function stateHead({ root, size, leaves }: BlobShape): Buffer {
  return Buffer.concat([MAGIC, fromHex(root), encodeSize(size), ...leaves]);
}

/** The bits of a state file if it is of the same shape. */
function bitsOf(state: Buffer, shape: BlobShape): Buffer | undefined {
  const head = stateHead(shape);
  const isOurs =
    state.subarray(0, head.length).equals(head) &&
    state.length === head.length + Math.ceil(shape.leaves.length / 8);
  return isOurs ? state.subarray(head.length) : undefined;
}

async function recheck(
  data: FileHandle,
  { leaves, size }: BlobShape,
  bits: Buffer,
  signal: AbortSignal | undefined,
): Promise<Set<number>> {
  const verified = new Set<number>();
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  for (const [piece, leaf] of leaves.entries()) {
    if ((bits[piece >> 3]! & (1 << (piece & 7))) === 0) continue;
    signal?.throwIfAborted();
    const length = pieceLength(piece, size);
    const { bytesRead } = await data.read(buffer, 0, length, piece * PIECE_BYTES);
    if (bytesRead === length && leaf.equals(leafHash(buffer.subarray(0, length)))) verified.add(piece);
  }
  return verified;
}
