import type { FileHandle } from "node:fs/promises";
import type { Hex } from "../../protocol/ids.ts";
import { PIECE_BYTES } from "../../protocol/limits.ts";
import { writeAll } from "../files.ts";
import { LeafHasher } from "./format/leaves.ts";

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
   * Continues `file` after `size` bytes, whose whole pieces have the hashes `leaves`; undefined when the file is
   * shorter. What follows is truncated.
   */
  static async continue(
    file: FileHandle,
    size: number,
    leaves: readonly Uint8Array[],
  ): Promise<BlobWriter | undefined> {
    const start = leaves.length * PIECE_BYTES;
    if ((await file.stat()).size < size || size - start >= PIECE_BYTES || size < start) return undefined;
    const tail = Buffer.alloc(size - start);
    if (tail.length > 0 && (await file.read(tail, 0, tail.length, start)).bytesRead < tail.length)
      return undefined;
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

  /** Writes all of `parts` in order. */
  async append(parts: readonly Uint8Array[]): Promise<void> {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const writing = this.#file.writev(parts, this.#size);
    for (const part of parts) this.leaves.update(part);
    const { bytesWritten } = await writing;
    if (bytesWritten < length)
      await writeAll(this.#file, Buffer.concat(parts).subarray(bytesWritten), this.#size + bytesWritten);
    this.#size += length;
  }
}
