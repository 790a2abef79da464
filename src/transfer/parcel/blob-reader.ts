import type { FileHandle } from "node:fs/promises";
import { parcelFault } from "./errors.ts";
import { SLICE_BYTES } from "./format/archive.ts";
import { MAX_MESSAGE, openSlice } from "./format/messages.ts";
import { MIN_MESSAGE, readFrame } from "./format/seipd.ts";
import type { Leaves } from "./leaves/hasher.ts";
import { inOrder } from "./ordered.ts";

/** The data of a blob, which is read once from start to end. */
export interface BlobData {
  readonly blob: FileHandle;
  readonly sessionKey: Uint8Array;
  /** Offset at which data ends and the manifest begins. */
  readonly end: number;
  /** Bytes of the archive, computed from the manifest. */
  readonly total: number;
  /** Hashes every byte of data. */
  readonly leaves: Leaves;
}

/** Messages that are decrypted and inflated at once. */
const WIDTH = 2;

/**
 * The slices of the archive, in order. Each must be used before the next is requested.
 * @throws PARCEL_MALFORMED, PARCEL_CORRUPT; the file system's error
 */
export function readSlices(data: BlobData): AsyncGenerator<Uint8Array> {
  return inOrder(messages(data), WIDTH, async ({ index, message }) => {
    const length = Math.min(SLICE_BYTES, data.total - index * SLICE_BYTES);
    const opening = openSlice(data.sessionKey, index, message, length);
    // It is decrypted already; only inflating continues.
    const [slice] = await Promise.all([opening, data.leaves.update([message])]);
    return slice;
  });
}

interface Message {
  readonly index: number;
  readonly message: Uint8Array;
}

/** One message for each slice of the archive; together they must fill the data. */
async function* messages(data: BlobData): AsyncGenerator<Message> {
  const { blob, end } = data;
  let at = 0;
  for (let index = 0; index * SLICE_BYTES < data.total; index++) {
    const length = readFrame(await readExactly(blob, at, Math.min(MIN_MESSAGE, end - at)));
    if (length > MAX_MESSAGE || at + length > end) {
      throw parcelFault("PARCEL_MALFORMED", `Message ${index} of the parcel has an impossible length.`);
    }
    yield { index, message: await readExactly(blob, at, length) };
    at += length;
  }
  if (at !== end)
    throw parcelFault("PARCEL_MALFORMED", "The parcel has more data than its manifest declares.");
}

/**
 * Exactly `length` bytes at byte `at`.
 * @throws PARCEL_MALFORMED when the file has no such range
 */
export async function readExactly(blob: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.max(0, length));
  let filled = 0;
  while (at >= 0 && filled < buffer.length) {
    const { bytesRead } = await blob.read(buffer, filled, buffer.length - filled, at + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  if (at < 0 || filled < buffer.length) throw parcelFault("PARCEL_MALFORMED", "The parcel is truncated.");
  return buffer;
}
