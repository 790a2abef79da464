import { getBytes, hexlify } from "ethers";
import type { Hex } from "./ids.ts";

/** Bytes → lower-case 0x-hex. */
export function toHex(bytes: Uint8Array): Hex {
  return hexlify(bytes) as Hex;
}

/** 0x-hex → bytes. Check input from outside with `isHex` first: other text throws a `TypeError` of ethers. */
export function fromHex(hex: Hex): Uint8Array {
  return getBytes(hex);
}

/**
 * Bytewise a xor b.
 * @throws RangeError when the lengths differ
 */
export function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length !== b.length) throw new RangeError(`xor of ${a.length} and ${b.length} bytes`);
  return a.map((byte, i) => byte ^ (b[i] ?? 0));
}
