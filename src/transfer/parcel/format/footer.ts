import { parcelFault } from "../errors.ts";

/** The last bytes of a blob: `ICPARCEL` ‖ u32 version ‖ u32 manifest length ‖ u64 manifest offset. */
export const FOOTER_BYTES = 24;
const MAGIC = Buffer.from("ICPARCEL");
const VERSION = 1;

/** Longest encrypted manifest, bytes; it holds 100,000 files with names of usual length. */
export const MAX_MANIFEST_BYTES = 32 << 20;

/** Longest note as JSON, bytes; a job's spec is much shorter. */
export const MAX_NOTE_BYTES = 256 << 10;

export interface Footer {
  /** Offset of the manifest message; everything before it is data. */
  readonly offset: number;
  /** Bytes of the manifest message. */
  readonly length: number;
}

export function encodeFooter(footer: Footer): Uint8Array {
  const bytes = Buffer.alloc(FOOTER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt32BE(VERSION, 8);
  bytes.writeUInt32BE(footer.length, 12);
  bytes.writeBigUInt64BE(BigInt(footer.offset), 16);
  return bytes;
}

/**
 * Decodes the footer of a blob of `size` bytes; data, manifest and footer must add up to it.
 * @throws PARCEL_MALFORMED, PARCEL_TOO_LARGE
 */
export function decodeFooter(bytes: Buffer, size: number): Footer {
  if (bytes.length !== FOOTER_BYTES || !bytes.subarray(0, 8).equals(MAGIC)) {
    throw parcelFault(
      "PARCEL_MALFORMED",
      "The file does not end with a parcel's footer; it may be truncated.",
    );
  }
  if (bytes.readUInt32BE(8) !== VERSION) {
    throw parcelFault("PARCEL_MALFORMED", "The parcel is of a version that this ichain does not read.");
  }
  const length = bytes.readUInt32BE(12);
  const offset = bytes.readBigUInt64BE(16);
  if (length > MAX_MANIFEST_BYTES) throw parcelFault("PARCEL_TOO_LARGE", "The manifest is too large.");
  if (offset + BigInt(length + FOOTER_BYTES) !== BigInt(size)) {
    throw parcelFault("PARCEL_MALFORMED", "The parcel's footer does not match its length.");
  }
  return { offset: Number(offset), length };
}
