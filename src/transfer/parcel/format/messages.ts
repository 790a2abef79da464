import { parcelFault } from "../errors.ts";
import { freeBuffer } from "../free-buffer.ts";
import { compress, inflate, MAX_FRAME, notAsDeclared } from "./frames.ts";
import { openMessage, packetHeader, sealedOverhead, sealMessage } from "./seipd.ts";

/** A data message: one slice of the archive as a zstd frame in an OpenPGP literal (RFC 9580, 5.9), encrypted. */

const LITERAL = 0xcb; // tag 11, new format
const NAME_BYTES = 8;
const LITERAL_HEADER = 1 + 1 + NAME_BYTES + 4;
const FRAME = 6;
const MAX_INNER = FRAME + LITERAL_HEADER + MAX_FRAME;

/** Longest data message, bytes. */
export const MAX_MESSAGE = MAX_INNER + sealedOverhead(MAX_INNER);

/** Compresses and encrypts slice number `index` under the 32-byte session key. */
export async function sealSlice(
  sessionKey: Uint8Array,
  index: number,
  slice: Uint8Array,
): Promise<Uint8Array[]> {
  const frame = await compress(slice);
  const length = frame.reduce((sum, part) => sum + part.length, 0);
  const sealed = sealMessage(sessionKey, [literalHeader(index, length), ...frame]);
  for (const part of frame) freeBuffer(part);
  return sealed;
}

/**
 * Decrypts data message number `index` and inflates exactly `length` bytes. The number is inside the encryption, so
 * that a message in another's place is noticed at once; the signed root proves the order in the end.
 * @throws PARCEL_CORRUPT, PARCEL_MALFORMED
 */
export async function openSlice(
  sessionKey: Uint8Array,
  index: number,
  message: Uint8Array,
  length: number,
): Promise<Uint8Array> {
  const inner = openMessage(sessionKey, message);
  const expected = literalHeader(index, Math.max(0, inner.length - FRAME - LITERAL_HEADER));
  if (!expected.equals(inner.subarray(0, expected.length))) {
    throw parcelFault("PARCEL_CORRUPT", `Message ${index} of the parcel is not in its place.`);
  }
  try {
    const frame = inner.subarray(expected.length);
    const { slice, used } = await inflate(frame, length);
    if (used !== frame.length) throw notAsDeclared();
    return slice;
  } finally {
    freeBuffer(inner);
  }
}

function literalHeader(index: number, length: number): Buffer {
  const header = Buffer.alloc(LITERAL_HEADER);
  header.write("b", 0);
  header[1] = NAME_BYTES;
  header.write(index.toString(16).padStart(NAME_BYTES, "0"), 2);
  return Buffer.concat([packetHeader(LITERAL, LITERAL_HEADER + length), header]);
}
