import { constants, createZstdCompress, zstdDecompress } from "node:zlib";
import { discard } from "../discard.ts";
import { parcelFault } from "../errors.ts";
import { SLICE_BYTES } from "./archive.ts";
import { openMessage, packetHeader, sealedOverhead, sealMessage } from "./seipd.ts";

/** A data message: one slice of the archive, a zstd frame of its own, as an OpenPGP literal under the session key. */

const LITERAL = 0xcb; // tag 11, new format
const NAME_BYTES = 8;
const LITERAL_HEADER = 1 + 1 + NAME_BYTES + 4;
const FRAME = 6;
/** A zstd frame is at most this much longer than what it holds (ZSTD_COMPRESSBOUND, rounded up). */
const ZSTD_GROWTH = (SLICE_BYTES >> 8) + 512;
const MAX_INNER = FRAME + LITERAL_HEADER + SLICE_BYTES + ZSTD_GROWTH;

/** Bytes of the longest data message. */
export const MAX_MESSAGE = MAX_INNER + sealedOverhead(MAX_INNER);

/** Level 1: on what most parcels hold it is near level 3 in size and three times as fast. */
const COMPRESS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Compresses and encrypts slice number `index`. */
export async function sealSlice(
  sessionKey: Uint8Array,
  index: number,
  slice: Uint8Array,
): Promise<Uint8Array[]> {
  const frame = await compress(slice);
  const length = frame.reduce((sum, part) => sum + part.length, 0);
  const sealed = sealMessage(sessionKey, [literalHeader(index, length), ...frame]);
  for (const part of frame) discard(part);
  return sealed;
}

/**
 * Decrypts data message number `index` and inflates exactly `length` bytes. The number stands inside the
 * encryption, so a message in another's place is noticed at once; the signed root says so for good.
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
    return await inflate(index, inner.subarray(expected.length), length);
  } finally {
    discard(inner);
  }
}

/** One zstd frame, in the parts in which it came: putting them together would cost a copy of it all. */
function compress(slice: Uint8Array): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  const engine = createZstdCompress({
    ...COMPRESS,
    chunkSize: slice.length + ZSTD_GROWTH,
    pledgedSrcSize: slice.length,
  });
  return new Promise((resolve, reject) => {
    engine.on("data", (part: Uint8Array) => parts.push(part));
    engine.once("end", () => resolve(parts));
    engine.once("error", reject);
    engine.end(slice);
  });
}

function literalHeader(index: number, length: number): Buffer {
  const header = Buffer.alloc(LITERAL_HEADER);
  header.write("b", 0);
  header[1] = NAME_BYTES;
  header.write(index.toString(16).padStart(NAME_BYTES, "0"), 2);
  return Buffer.concat([packetHeader(LITERAL, LITERAL_HEADER + length), header]);
}

function inflate(index: number, frame: Uint8Array, length: number): Promise<Uint8Array> {
  const options = {
    chunkSize: length + 1, // exactly full, Node would set up a second buffer
    maxOutputLength: length,
    info: true,
    params: { [constants.ZSTD_d_windowLogMax]: 23 },
  };
  return new Promise((resolve, reject) => {
    zstdDecompress(frame, options, (cause, result) => {
      const fail = () =>
        reject(
          parcelFault(
            "PARCEL_MALFORMED",
            `Message ${index} of the parcel does not inflate as declared.`,
            cause,
          ),
        );
      if (cause) return fail();
      // With `info`, Node hands over the engine too; its types do not say so.
      const { buffer, engine } = result as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
      return buffer.length === length && engine.bytesWritten === frame.length ? resolve(buffer) : fail();
    });
  });
}
