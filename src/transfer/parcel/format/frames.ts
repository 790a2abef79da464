import { constants, createZstdCompress, zstdDecompress } from "node:zlib";
import { parcelFault } from "../errors.ts";
import { SLICE_BYTES } from "./archive.ts";

/** Every slice of the archive is a zstd frame of its own: they inflate apart, to a length known before. */

/** A frame is at most this much longer than what it holds (ZSTD_COMPRESSBOUND, rounded up). */
const GROWTH = (SLICE_BYTES >> 8) + 512;
export const MAX_FRAME = SLICE_BYTES + GROWTH;

/** Level 1: on what most parcels hold it is near level 3 in size and three times as fast. */
const LEVEL = 1;
/** Slices need 2^22; a frame that asks for more wants memory, not to inflate. */
const MAX_WINDOW_LOG = 23;

/** One zstd frame, in the parts in which it came: putting them together would cost a copy of it all. */
export function compress(slice: Uint8Array): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  const engine = createZstdCompress({
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL },
    chunkSize: slice.length + GROWTH,
    pledgedSrcSize: slice.length,
  });
  return new Promise((resolve, reject) => {
    engine.on("data", (part: Uint8Array) => parts.push(part));
    engine.once("end", () => resolve(parts));
    engine.once("error", reject);
    engine.end(slice);
  });
}

/**
 * Inflates the frame that `bytes` begin with to exactly `length` bytes, and says how many bytes it took;
 * stops as soon as there would be more. Throws `PARCEL_MALFORMED`.
 */
export function inflate(bytes: Uint8Array, length: number): Promise<{ slice: Uint8Array; used: number }> {
  const options = {
    chunkSize: length + 1, // exactly full, Node would set up a second buffer
    maxOutputLength: length,
    info: true,
    params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
  };
  return new Promise((resolve, reject) => {
    zstdDecompress(bytes, options, (cause, result) => {
      if (cause) return reject(notAsDeclared(cause));
      // With `info`, Node hands over the engine too; its types do not say so.
      const { buffer, engine } = result as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
      if (buffer.length !== length) return reject(notAsDeclared());
      resolve({ slice: buffer, used: engine.bytesWritten });
    });
  });
}

export function notAsDeclared(cause?: unknown) {
  return parcelFault("PARCEL_MALFORMED", "The parcel does not inflate to what it declares.", cause);
}
