import { constants, createZstdCompress, zstdCompressSync, zstdDecompress } from "node:zlib";
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

/** Probes of a slice, and bytes of each, that tell whether it compresses. */
const PROBES = 8;
const PROBE_BYTES = 4096;
/** What the probes must shrink to for the slice to be worth compressing. */
const WORTH = 0.98;

/** One zstd frame, in parts: joining them would copy all of it. What does not compress is stored. */
export async function compress(slice: Uint8Array): Promise<Uint8Array[]> {
  return compresses(slice) ? compressAll(slice) : [store(slice)];
}

function compressAll(slice: Uint8Array): Promise<Uint8Array[]> {
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

/** False for a slice whose probes do not shrink, such as one of encrypted, compressed or random data. */
function compresses(slice: Uint8Array): boolean {
  const step = Math.floor((slice.length - PROBE_BYTES) / (PROBES - 1));
  if (step < PROBE_BYTES) return true;
  const probes = Buffer.concat(
    Array.from({ length: PROBES }, (_, i) => slice.subarray(i * step, i * step + PROBE_BYTES)),
  );
  const shrunk = zstdCompressSync(probes, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
  return shrunk.length < WORTH * probes.length;
}

/** Magic number, a descriptor that announces a size of four bytes and one segment (RFC 8878, 3.1.1). */
const STORED = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xa0);
const BLOCK_BYTES = 128 << 10;

/** A zstd frame of raw blocks: compressing in vain takes as long as encrypting. */
function store(slice: Uint8Array): Uint8Array {
  const blocks = Math.ceil(slice.length / BLOCK_BYTES);
  const frame = Buffer.allocUnsafe(STORED.length + 4 + 3 * blocks + slice.length);
  frame.set(STORED);
  let at = frame.writeUInt32LE(slice.length, STORED.length);
  for (let from = 0; from < slice.length; from += BLOCK_BYTES) {
    const block = slice.subarray(from, from + BLOCK_BYTES);
    const last = from + BLOCK_BYTES >= slice.length ? 1 : 0;
    at = frame.writeUIntLE(block.length * 8 + last, at, 3);
    frame.set(block, at);
    at += block.length;
  }
  return frame;
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
