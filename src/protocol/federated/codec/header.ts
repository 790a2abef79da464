import { IchainError } from "../../../errors/error.ts";
import { CHUNK, MAX_LENGTH } from "./chunk.ts";

export const HEADER_BYTES = 48;
const MAGIC = 0x49_43_55_31; // "ICU1"

/** How an update's body is encoded. */
export const updateKinds = ["int8", "topk"] as const;
export type UpdateKind = (typeof updateKinds)[number];

export interface UpdateHeader {
  readonly kind: UpdateKind;
  /** Of a thousand parameters, how many are kept; 1000 for int8. */
  readonly keep: number;
  /** Parameters. */
  readonly length: number;
  /**
   * SHA-256 of the state that the update was made from (the residual of `topk`), or the commitment to the seed of its
   * noise; zeros where there is none.
   */
  readonly state: Uint8Array;
}

/** u32 "ICU1" ‖ u8 kind ‖ u8 zero ‖ u16 keep ‖ u64 length ‖ 32 bytes state; big-endian. */
export function encodeHeader({ kind, keep, length, state }: UpdateHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint8(4, updateKinds.indexOf(kind));
  view.setUint16(6, keep);
  view.setBigUint64(8, BigInt(length));
  bytes.set(state, 16);
  return bytes;
}

/** @throws UPDATE_INVALID */
export function decodeHeader(bytes: Uint8Array): UpdateHeader {
  if (bytes.length < HEADER_BYTES) refuseUpdate("it is shorter than its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  if (view.getUint32(0) !== MAGIC || view.getUint8(5) !== 0) refuseUpdate("it does not begin as one");
  const kind = updateKinds[view.getUint8(4)] ?? refuseUpdate("its kind is unknown");
  const keep = view.getUint16(6);
  if (kind === "int8" ? keep !== 1000 : keep < 1 || keep > 500) refuseUpdate("it keeps too much or nothing");
  const length = view.getBigUint64(8);
  if (length < 1n || length > BigInt(MAX_LENGTH)) refuseUpdate("its length is out of bounds");
  return { kind, keep, length: Number(length), state: bytes.slice(16, HEADER_BYTES) };
}

/** Parameters that a top-k update keeps of a chunk of `size`. */
export function keptOf(size: number, keep: number): number {
  return Math.ceil((Math.min(size, CHUNK) * keep) / 1000);
}

export function refuseUpdate(why: string): never {
  throw new IchainError("UPDATE_INVALID", `The update is not valid: ${why}.`);
}
