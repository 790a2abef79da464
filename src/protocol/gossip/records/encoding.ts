import { sha256 } from "ethers";
import { z } from "zod";
import type { Address, Hex } from "../../ids.ts";

/** What a network of peers leaves on record: what was trained, who measured it, and who saw the record of it (paper 003). */
export type RecordKind = "transaction" | "receipt" | "block" | "confirmation" | "final";

const utf8 = new TextEncoder();

/**
 * Digest of a record: SHA-256 over a domain string and its fields in order, each in a fixed number of bytes, numbers
 * big-endian. A list is its length in four bytes, then its members.
 */
export function recordDigest(kind: RecordKind, fields: readonly Hex[]): Hex {
  const domain = utf8.encode(`ichain/gossip/${kind}/1\0`);
  const bytes = new Uint8Array(fields.reduce((sum, field) => sum + (field.length - 2) / 2, domain.length));
  bytes.set(domain);
  let at = domain.length;
  for (const field of fields) {
    for (let i = 2; i < field.length; i += 2) {
      bytes[at++] = (nibble(field.charCodeAt(i)) << 4) | nibble(field.charCodeAt(i + 1));
    }
  }
  return sha256(bytes) as Hex;
}

/** Of a lower-case hexadecimal digit; ethers' own conversion would take most of a simulation's time. */
function nibble(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}

/** A whole number in `bytes` bytes. */
export function word(value: number, bytes: number): Hex {
  return `0x${value.toString(16).padStart(2 * bytes, "0")}`;
}

const lower = (digits: number) => z.string().regex(new RegExp(`^0x[0-9a-f]{${digits}}$`));

export const digestField = lower(64).transform((text) => text as Hex);

/** Unix seconds; ticks in a simulation. */
export const timeField = z
  .number()
  .int()
  .min(0)
  .max(2 ** 40);

/**
 * 65 bytes in the one form that signing gives: s in the lower half, and the last byte 27 or 28. Another form of the same
 * signature would be another record.
 */
export const signatureField = z
  .string()
  .regex(/^0x[0-9a-f]{64}[0-7][0-9a-f]{63}1[bc]$/)
  .transform((text) => text as Hex);

/** A peer: its account is the hash of its public key. */
export const identitySchema = z.strictObject({
  /** In lower case. */
  account: lower(40).transform((text) => text as Address),
  /** Compressed, 33 bytes. */
  publicKey: lower(66).transform((text) => text as Hex),
});
export type PeerIdentity = z.output<typeof identitySchema>;

export function identityFields({ account, publicKey }: PeerIdentity): Hex[] {
  return [account, publicKey];
}
