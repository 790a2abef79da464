import { createHash } from "node:crypto";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const VERSION = Uint8Array.of(3);

/** Base32 in lower case without padding (RFC 4648, section 6): the form of onion addresses and client keys. */
export function base32(bytes: Uint8Array): string {
  let [text, bits, value] = ["", 0, 0];
  for (const byte of bytes) {
    value = (value << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(value >>> (bits - 5)) & 31];
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? text + ALPHABET[(value << (5 - bits)) & 31] : text;
}

/**
 * The 56-character address, without `.onion`, of the onion service with a 32-byte ed25519 public key (rend-spec-v3,
 * section 6): base32(key ‖ checksum ‖ version).
 */
export function onionAddress(publicKey: Uint8Array): string {
  const checksum = createHash("sha3-256")
    .update(".onion checksum")
    .update(publicKey)
    .update(VERSION)
    .digest()
    .subarray(0, 2);
  return base32(Buffer.concat([publicKey, checksum, VERSION]));
}
