import type { FileHandle } from "node:fs/promises";
import { PIECE_BYTES } from "../../protocol/limits.ts";
import { writeAll } from "../files.ts";
import { hashLeaves } from "./leaves/hash-leaves.ts";
import type { Leaves } from "./leaves/hasher.ts";
import type { ResumePoint } from "./resume.ts";

/** Appends to a blob and hashes what it appends. */
export class BlobWriter implements AsyncDisposable {
  readonly leaves: Leaves;
  readonly #file: FileHandle;
  #size: number;

  private constructor(file: FileHandle, size: number, leaves: Leaves) {
    this.#file = file;
    this.#size = size;
    this.leaves = leaves;
  }

  /**
   * Continues `file` after `size` bytes, whose whole pieces have the hashes `leaves`; undefined when the file is
   * shorter. What follows is truncated. `coming`: bytes that will be appended at most.
   */
  static async continue(
    file: FileHandle,
    { bytes: size, leaves }: Pick<ResumePoint, "bytes" | "leaves">,
    coming: number,
  ): Promise<BlobWriter | undefined> {
    const start = leaves.length * PIECE_BYTES;
    if ((await file.stat()).size < size || size - start >= PIECE_BYTES || size < start) return undefined;
    const tail = Buffer.alloc(size - start);
    if (tail.length > 0 && (await file.read(tail, 0, tail.length, start)).bytesRead < tail.length)
      return undefined;
    await file.truncate(size);
    const hashing = hashLeaves(coming, leaves);
    await hashing.update([tail]);
    return new BlobWriter(file, size, hashing);
  }

  get size(): number {
    return this.#size;
  }

  /** Writes all of `parts` in order; they must not be used again. */
  async append(parts: readonly Uint8Array[]): Promise<void> {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const { bytesWritten } = await this.#file.writev(parts, this.#size);
    if (bytesWritten < length)
      await writeAll(this.#file, Buffer.concat(parts).subarray(bytesWritten), this.#size + bytesWritten);
    this.#size += length;
    await this.leaves.update(parts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leaves[Symbol.asyncDispose]();
  }
}
