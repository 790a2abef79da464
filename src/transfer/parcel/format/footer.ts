import { parcelFault } from "../errors.ts";

/** The last bytes of a blob: `ICPARCEL` ‖ u32 version ‖ u32 manifest length ‖ u64 manifest offset. */
export const FOOTER_BYTES = 24;
const MAGIC = Buffer.from("ICPARCEL");
const VERSION = 1;

/** Bytes of an encrypted manifest; 100,000 files of ordinary names fit. */
export const MAX_MANIFEST_BYTES = 32 << 20;

/** Bytes of a note as JSON: a job's spec is far below. */
export const MAX_NOTE_BYTES = 256 << 10;

export interface Footer {
  /** Where the manifest message begins; everything before it is data. */
  readonly offset: number;
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

/** Throws `PARCEL_MALFORMED` unless the footer accounts for every byte of a blob of `size` bytes. */
export function decodeFooter(bytes: Buffer, size: number): Footer {
  if (bytes.length !== FOOTER_BYTES || !bytes.subarray(0, 8).equals(MAGIC)) {
    throw parcelFault("PARCEL_MALFORMED", "The file does not end like a parcel; it may be cut short.");
  }
  if (bytes.readUInt32BE(8) !== VERSION) {
    throw parcelFault("PARCEL_MALFORMED", "The parcel is of a version that this ichain does not read.");
  }
  const length = bytes.readUInt32BE(12);
  const offset = bytes.readBigUInt64BE(16);
  if (length > MAX_MANIFEST_BYTES) throw parcelFault("PARCEL_TOO_LARGE", "The manifest is too large.");
  if (offset + BigInt(length + FOOTER_BYTES) !== BigInt(size)) {
    throw parcelFault("PARCEL_MALFORMED", "The parcel's footer does not fit its length.");
  }
  return { offset: Number(offset), length };
}
