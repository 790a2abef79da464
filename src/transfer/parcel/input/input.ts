import { createHash, hash } from "node:crypto";
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { AbortOptions } from "../../../async/abort.ts";
import { toHex } from "../../../protocol/bytes.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { quotePath } from "../../../protocol/parcel/paths.ts";
import { inputChanged, inputMissing } from "../errors.ts";
import { type InputFile, stampOf } from "./walk.ts";

/**
 * Files of at most this many bytes are read and written synchronously: a few microseconds each, where five tasks of the
 * thread pool for each of 100,000 files would take most of the time of a pack.
 */
export const SMALL_FILE = 128 << 10;

// Do not follow a link, and do not block on a FIFO that replaced the file.
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * The content of a listed file of at most `SMALL_FILE` bytes.
 * @throws as `openInput`
 */
export function readSmall(file: InputFile): Uint8Array {
  let fd: number;
  try {
    fd = openSync(file.absolute, FLAGS);
  } catch (cause) {
    throw inputMissing(quotePath(file.path), cause);
  }
  try {
    compare(fstatSync(fd, { bigint: true }), file);
    const content = Buffer.allocUnsafe(file.size);
    for (let filled = 0; filled < file.size; ) {
      const count = readSync(fd, content, filled, file.size - filled, filled);
      if (count === 0) throw inputChanged(quotePath(file.path));
      filled += count;
    }
    compare(fstatSync(fd, { bigint: true }), file);
    return content;
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens a listed file for reading.
 * @throws PARCEL_INPUT_MISSING; PARCEL_INPUT_CHANGED unless it is as it was listed
 */
export async function openInput(file: InputFile): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(file.absolute, FLAGS);
  } catch (cause) {
    throw inputMissing(quotePath(file.path), cause);
  }
  try {
    await checkUnchanged(handle, file);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** @throws PARCEL_INPUT_CHANGED unless the open file is as it was listed */
export async function checkUnchanged(handle: FileHandle, file: InputFile): Promise<void> {
  compare(await handle.stat({ bigint: true }), file);
}

function compare(stats: BigIntStats, file: InputFile): void {
  if (stampOf(stats) !== file.stamp) throw inputChanged(quotePath(file.path));
}

/**
 * SHA-256 of a listed file.
 * @throws as `openInput`; the signal's reason
 */
export async function hashInput(file: InputFile, options: AbortOptions): Promise<Hex> {
  if (file.size <= SMALL_FILE) return sha256(readSmall(file));
  const whole = createHash("sha256");
  const handle = await openInput(file);
  try {
    const buffer = Buffer.allocUnsafe(Math.min(file.size, 1 << 20));
    for (let left = file.size; left > 0; ) {
      options.signal?.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, left));
      if (bytesRead === 0) throw inputChanged(quotePath(file.path));
      whole.update(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
    await checkUnchanged(handle, file);
    return toHex(whole.digest());
  } finally {
    await handle.close();
  }
}

/** SHA-256 of `bytes`. */
export function sha256(bytes: Uint8Array): Hex {
  return `0x${hash("sha256", bytes)}`;
}
