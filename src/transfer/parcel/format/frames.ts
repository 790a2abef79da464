import { constants, createZstdCompress, zstdDecompress } from "node:zlib";
import { parcelFault } from "../errors.ts";
import { SLICE_BYTES } from "./archive.ts";

/** Every slice of the archive is a zstd frame of its own: each inflates alone, to a length known in advance. */

/** Most bytes by which a frame is longer than its content (ZSTD_COMPRESSBOUND, rounded up). */
const GROWTH = (SLICE_BYTES >> 8) + 512;
export const MAX_FRAME = SLICE_BYTES + GROWTH;

/** Level 1: for usual contents about the size of level 3 at three times the speed. */
const LEVEL = 1;
/** Slices need 2^22 bytes; a frame with a larger window only costs memory. */
const MAX_WINDOW_LOG = 23;

/** One zstd frame, in parts: joining them would copy all of it. */
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
 * Inflates the frame at the start of `bytes` to exactly `length` bytes; `used`: bytes of the frame. Stops as soon as
 * there would be more.
 * @throws PARCEL_MALFORMED
 */
export function inflate(bytes: Uint8Array, length: number): Promise<{ slice: Uint8Array; used: number }> {
  const options = {
    chunkSize: length + 1, // with `length` Node would allocate a second buffer
    maxOutputLength: length,
    info: true,
    params: { [constants.ZSTD_d_windowLogMax]: MAX_WINDOW_LOG },
  };
  return new Promise((resolve, reject) => {
    zstdDecompress(bytes, options, (cause, result) => {
      if (cause) return reject(notAsDeclared(cause));
      // With `info` Node passes the engine too, which its types do not declare.
      const { buffer, engine } = result as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
      if (buffer.length !== length) return reject(notAsDeclared());
      resolve({ slice: buffer, used: engine.bytesWritten });
    });
  });
}

export function notAsDeclared(cause?: unknown) {
  return parcelFault("PARCEL_MALFORMED", "The parcel does not inflate to what it declares.", cause);
}
