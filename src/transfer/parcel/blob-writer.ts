import type { FileHandle } from "node:fs/promises";
import type { Hex } from "../../protocol/ids.ts";
import { PIECE_BYTES } from "../../protocol/merkle.ts";
import { LeafHasher } from "./leaves.ts";

/** Appends to a blob and hashes what it appends. */
export class BlobWriter {
  readonly leaves: LeafHasher;
  readonly #file: FileHandle;
  #size: number;

  private constructor(file: FileHandle, size: number, leaves: LeafHasher) {
    this.#file = file;
    this.#size = size;
    this.leaves = leaves;
  }

  /**
   * Continues `file` after `size` bytes, of which `leaves` are the whole pieces; undefined when the file
   * is shorter than that.
   */
  static async continue(
    file: FileHandle,
    size: number,
    leaves: readonly Uint8Array[],
  ): Promise<BlobWriter | undefined> {
    const start = leaves.length * PIECE_BYTES;
    if ((await file.stat()).size < size || size - start >= PIECE_BYTES || size < start) return undefined;
    const tail = Buffer.alloc(size - start);
    if (tail.length > 0) await file.read(tail, 0, tail.length, start);
    const hasher = new LeafHasher(leaves);
    hasher.update(tail);
    await file.truncate(size);
    return new BlobWriter(file, size, hasher);
  }

  get size(): number {
    return this.#size;
  }

  get root(): Hex {
    return this.leaves.root();
  }

  async append(parts: readonly Uint8Array[]): Promise<void> {
    let rest = Buffer.concat(parts);
    const writing = this.#write(rest);
    this.leaves.update(rest);
    rest = rest.subarray(await writing);
    while (rest.length > 0) rest = rest.subarray(await this.#write(rest));
  }

  async #write(bytes: Uint8Array): Promise<number> {
    const { bytesWritten } = await this.#file.write(bytes, 0, bytes.length, this.#size);
    this.#size += bytesWritten;
    return bytesWritten;
  }
}
