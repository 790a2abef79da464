/** The piece protocol on the wire (docs/protocol.md, "Piece protocol"): paths, headers, the leaf list. */

import { toHex } from "../../protocol/bytes.ts";
import type { Hex } from "../../protocol/ids.ts";
import { PIECE_BYTES } from "../../protocol/limits.ts";

export const LEAF_BYTES = 32;
export const CAPSULE_MAX_BYTES = 1024;
/** A blob of at most this many bytes is sent with its leaf list, which saves a round trip. */
export const INLINE_MAX_BYTES = 2 << 20;
/** Bytes before the leaves: the blob's size, big-endian. */
export const SIZE_BYTES = 8;

const bare = (hex: Hex) => hex.slice(2).toLowerCase();

export const authorization = (token: Hex) => `Bearer ${bare(token)}`;
export const piecesPath = (root: Hex, inline: number) => `/v1/${bare(root)}/pieces?inline=${inline}`;
export const dataPath = (root: Hex) => `/v1/${bare(root)}/data`;
export const capsulePath = (root: Hex, fingerprint: Hex) => `/v1/${bare(root)}/capsules/${bare(fingerprint)}`;

export const partPath = (id: Hex, from: number) => `/v1/${bare(id)}/parts/${from}`;

export const noticePath = (root: Hex) => `/v1/${bare(root)}/notice`;

export type Route =
  | { readonly kind: "pieces"; readonly root: Hex; readonly inline: number }
  | { readonly kind: "data" | "notice"; readonly root: Hex }
  | { readonly kind: "capsule"; readonly root: Hex; readonly fingerprint: Hex }
  | { readonly kind: "part"; readonly root: Hex; readonly from: number };

const PIECES = /^\/v1\/([0-9a-f]{64})\/pieces(?:\?inline=(\d{1,8}))?$/;
const DATA = /^\/v1\/([0-9a-f]{64})\/data$/;
const NOTICE = /^\/v1\/([0-9a-f]{64})\/notice$/;
const PART = /^\/v1\/([0-9a-f]{64})\/parts\/(\d{1,15})$/;
const CAPSULE = /^\/v1\/([0-9a-f]{64})\/capsules\/([0-9a-f]{64})$/;

/** The route that a request target names, or undefined: no other path exists. */
export function parseRoute(target: string): Route | undefined {
  const pieces = PIECES.exec(target);
  if (pieces) return { kind: "pieces", root: `0x${pieces[1]}`, inline: Number(pieces[2] ?? 0) };
  const data = DATA.exec(target);
  if (data) return { kind: "data", root: `0x${data[1]}` };
  const notice = NOTICE.exec(target);
  if (notice) return { kind: "notice", root: `0x${notice[1]}` };
  const capsule = CAPSULE.exec(target);
  if (capsule) return { kind: "capsule", root: `0x${capsule[1]}`, fingerprint: `0x${capsule[2]}` };
  const part = PART.exec(target);
  if (part) return { kind: "part", root: `0x${part[1]}`, from: Number(part[2]) };
  return undefined;
}

/** First and last byte, both inclusive, as HTTP counts them. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** The bytes of a blob that a probe reads. */
export const PROBE_RANGE: ByteRange = { first: 0, last: 0 };

/** The one range of a `Range` header if it lies within `size` bytes, else undefined. */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header ?? "");
  if (!match) return undefined;
  const [first, last] = [Number(match[1]), Number(match[2])];
  return first <= last && last < size ? { first, last } : undefined;
}

export function pieceCount(size: number): number {
  return Math.ceil(size / PIECE_BYTES);
}

/** Bytes of piece `index` of a blob of `size` bytes. */
export function pieceLength(index: number, size: number): number {
  return Math.min(PIECE_BYTES, size - index * PIECE_BYTES);
}

export function encodeSize(size: number): Buffer {
  const bytes = Buffer.alloc(SIZE_BYTES);
  bytes.writeBigUInt64BE(BigInt(size));
  return bytes;
}

/** The size in front of a leaf list; undefined when it is larger than a number can be. */
export function decodeSize(bytes: Buffer): number | undefined {
  const size = bytes.readBigUInt64BE();
  return size <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(size) : undefined;
}

/** The 32-byte leaves of a list, as views. */
export function splitLeaves(list: Buffer): Buffer[] {
  return Array.from({ length: list.length / LEAF_BYTES }, (_, i) =>
    list.subarray(i * LEAF_BYTES, (i + 1) * LEAF_BYTES),
  );
}

export const sameRoot = (root: Hex, bytes: Uint8Array) => toHex(bytes) === root.toLowerCase();
