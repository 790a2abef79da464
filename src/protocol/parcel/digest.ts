import { sha256 } from "ethers";
import type { Hex } from "../ids.ts";
import { comparePaths } from "./paths.ts";

export interface FileRecord {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of the content. */
  readonly hash: string;
}

const DOMAIN = "ichain/files/1\0";

/**
 * The digest that measurements compare: SHA-256 over a domain string and, for each file in order of its path's UTF-8
 * bytes, u32 length of the path ‖ path ‖ u64 size ‖ SHA-256 of the content (big-endian). Times and modes are left out, so
 * that two runs of one task agree.
 */
export function filesDigest(files: readonly FileRecord[]): Hex {
  const encoder = new TextEncoder();
  const sorted = [...files].sort((a, b) => comparePaths(a.path, b.path));
  const paths = sorted.map((file) => encoder.encode(file.path));
  const domain = encoder.encode(DOMAIN);
  const bytes = new Uint8Array(paths.reduce((sum, path) => sum + 4 + path.length + 8 + 32, domain.length));
  const view = new DataView(bytes.buffer);
  bytes.set(domain);
  let at = domain.length;
  for (const [i, file] of sorted.entries()) {
    const path = paths[i]!;
    view.setUint32(at, path.length);
    bytes.set(path, at + 4);
    view.setBigUint64(at + 4 + path.length, BigInt(file.size));
    putHex(bytes, at + 12 + path.length, file.hash);
    at += 44 + path.length;
  }
  return sha256(bytes) as Hex;
}

/** Writes 0x-hex to `bytes`; a general parser takes seconds for the 100,000 hashes of a large manifest. */
function putHex(bytes: Uint8Array, at: number, hex: string): void {
  for (let i = 2; i < hex.length; i += 2) bytes[at + i / 2 - 1] = Number.parseInt(hex.slice(i, i + 2), 16);
}
