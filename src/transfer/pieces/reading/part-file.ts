import { type FileHandle, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fromHex } from "../../../protocol/bytes.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { PIECE_BYTES } from "../../../protocol/merkle.ts";
import { leafHash, merkleRoot } from "../../merkle.ts";
import {
  decodeSize,
  encodeSize,
  LEAF_BYTES,
  pieceCount,
  pieceLength,
  SIZE_BYTES,
  sameRoot,
  splitLeaves,
} from "../wire.ts";

const MAGIC = Buffer.from("ichpart1");
const HEAD_BYTES = MAGIC.length + 32 + SIZE_BYTES;

/** What the leaf list says about a blob, checked against its root. */
export interface BlobShape {
  readonly root: Hex;
  readonly size: number;
  readonly leaves: readonly Buffer[];
}

/**
 * A blob under way: `<path>.part` has the bytes, `<path>.state` the shape and a bit for each piece that
 * is verified and durable. Bits follow their data to the disk, never the other way round, and on a
 * resume each set bit is checked by hash once more.
 */
export class PartFile {
  readonly shape: BlobShape;
  /** Pieces that were verified when the file was opened. */
  readonly verified: ReadonlySet<number>;
  readonly #path: string;
  readonly #data: FileHandle;
  readonly #state: FileHandle;
  readonly #bits: Buffer;
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
    this.verified = verified;
  }

  /** Begins afresh, over whatever lay there. */
  static async create(path: string, shape: BlobShape): Promise<PartFile> {
    const bits = Buffer.alloc(Math.ceil(shape.leaves.length / 8));
    const content = Buffer.concat([
      MAGIC,
      fromHex(shape.root),
      encodeSize(shape.size),
      ...shape.leaves,
      bits,
    ]);
    await rm(`${path}.state`, { force: true });
    const data = await open(`${path}.part`, "w+", 0o600);
    await data.truncate(shape.size);
    await writeFile(`${path}.state.tmp`, content, { mode: 0o600, flush: true });
    await rename(`${path}.state.tmp`, `${path}.state`);
    return new PartFile(path, shape, data, await open(`${path}.state`, "r+"), bits, new Set());
  }

  /** Takes up what an earlier fetch of the same root left; undefined if there is nothing of use. */
  static async resume(path: string, root: Hex, signal?: AbortSignal): Promise<PartFile | undefined> {
    const content = await readFile(`${path}.state`).catch(() => undefined);
    const parsed = content && parseState(content, root);
    const data = parsed && (await open(`${path}.part`, "r+").catch(() => undefined));
    if (!data) return undefined;
    const { shape, bits } = parsed;
    const verified = await recheck(data, shape, bits, signal);
    bits.fill(0);
    for (const piece of verified) setBit(bits, piece);
    await data.truncate(shape.size);
    return new PartFile(path, shape, data, await open(`${path}.state`, "r+"), bits, verified);
  }

  /** Writes a verified piece at its place; durable after the next `flush`. */
  async write(piece: number, bytes: Uint8Array): Promise<void> {
    await this.#data.write(bytes, 0, bytes.length, piece * PIECE_BYTES);
    this.#pending.push(piece);
  }

  /** Makes every piece written so far durable, then marks them. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(async () => {
      if (this.#pending.length === 0) return;
      const pieces = this.#pending.splice(0);
      await this.#data.datasync();
      for (const piece of pieces) setBit(this.#bits, piece);
      const at = HEAD_BYTES + this.shape.leaves.length * LEAF_BYTES;
      await this.#state.write(this.#bits, 0, this.#bits.length, at);
      await this.#state.datasync();
    });
    return this.#flushing;
  }

  /** Every piece is there: the whole file takes its name in one step. */
  async finish(): Promise<void> {
    await this.flush();
    await this.#data.sync();
    await rename(`${this.#path}.part`, this.#path);
    await using folder = await open(dirname(this.#path), "r");
    await folder.sync();
    await rm(`${this.#path}.state`, { force: true });
  }

  /** Marks what can be marked and lets go of the files; idempotent. */
  async close(): Promise<void> {
    await this.flush().catch(() => {});
    await Promise.all([this.#data.close(), this.#state.close()]);
  }
}

function setBit(bits: Buffer, piece: number): void {
  bits[piece >> 3]! |= 1 << (piece & 7);
}

function parseState(content: Buffer, root: Hex): { shape: BlobShape; bits: Buffer } | undefined {
  if (content.length < HEAD_BYTES || !content.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const size = decodeSize(content.subarray(HEAD_BYTES - SIZE_BYTES));
  if (size === undefined || !sameRoot(root, content.subarray(MAGIC.length, MAGIC.length + 32)))
    return undefined;
  const listEnd = HEAD_BYTES + pieceCount(size) * LEAF_BYTES;
  if (content.length !== listEnd + Math.ceil(pieceCount(size) / 8)) return undefined;
  const leaves = splitLeaves(content.subarray(HEAD_BYTES, listEnd));
  if (!sameRoot(root, merkleRoot(leaves))) return undefined;
  return { shape: { root, size, leaves }, bits: content.subarray(listEnd) };
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
