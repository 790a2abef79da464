import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { concat, keccak256, toUtf8Bytes } from "ethers";
import { fromHex, toHex } from "../../../../protocol/bytes.ts";
import type { Hex } from "../../../../protocol/ids.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** What {@link sealBytes} adds. */
export const SEAL_BYTES = NONCE_BYTES + TAG_BYTES;

/** AES-256-GCM under 32 bytes of key: nonce ‖ ciphertext ‖ tag. */
export function sealBytes(key: Hex, content: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", fromHex(key), nonce);
  return Buffer.concat([nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

/** What {@link sealBytes} sealed; undefined where it is anything else. */
export function openBytes(key: Hex, sealed: Uint8Array): Uint8Array | undefined {
  const end = sealed.length - TAG_BYTES;
  if (end < NONCE_BYTES) return undefined;
  const options = { authTagLength: TAG_BYTES };
  const decipher = createDecipheriv("aes-256-gcm", fromHex(key), sealed.subarray(0, NONCE_BYTES), options);
  decipher.setAuthTag(sealed.subarray(end));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/**
 * A corrected row as a fix carries it on the chain: in a private campaign sealed for all that can read its entry.
 * @param key Of the entry's parcel, in a private campaign.
 */
export function encodeCorrection(row: string, key: Hex | undefined): Hex {
  const bytes = toUtf8Bytes(row);
  return toHex(key === undefined ? bytes : sealBytes(correctionKey(key), bytes));
}

/** The row that {@link encodeCorrection} made `content` of; undefined where it does not open. */
export function decodeCorrection(content: Hex, key: Hex | undefined): string | undefined {
  const bytes = key === undefined ? fromHex(content) : openBytes(correctionKey(key), fromHex(content));
  return bytes && new TextDecoder().decode(bytes);
}

function correctionKey(key: Hex): Hex {
  return keccak256(concat([toUtf8Bytes("ichain/fix"), key])) as Hex;
}
