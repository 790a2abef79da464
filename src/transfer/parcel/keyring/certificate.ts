import type { PublicKey } from "openpgp";
import { IchainError } from "../../../errors/error.ts";
import { fromHex } from "../../../protocol/bytes.ts";
import { type Hex, isHex } from "../../../protocol/ids.ts";
import { modern, openpgp } from "./openpgp.ts";

/** Bytes of a binary certificate; a fresh one of ours has about 500. */
export const MAX_CERTIFICATE_BYTES = 2048;

// RFC 9580, 9.1
const X25519 = 25;
const ED25519 = 27;
// RFC 9580, 5: a primary key and its self-signature, a subkey and its binding
const SHAPE = [6, 2, 14, 2];

/**
 * Parses somebody's certificate: one OpenPGP v6 Ed25519 key with one self-signature, one valid X25519
 * encryption subkey and no names, at most 2 KiB. An old key would silently downgrade every message, a huge
 * one would cost minutes. Validity is judged at `date`; null leaves expiry aside, for what was signed in the
 * past. Throws `KEY_MALFORMED`, class `untrusted`.
 */
export async function readCertificate(openpgpKey: string, date: Date | null = null): Promise<PublicKey> {
  if (!isHex(openpgpKey) || openpgpKey.length > 2 + 2 * MAX_CERTIFICATE_BYTES) throw malformed();
  const pgp = await openpgp();
  const config = modern(pgp);
  try {
    const bytes = fromHex(openpgpKey);
    const key = await pgp.readKey({ binaryKey: bytes, config });
    if (key.isPrivate() || key.write().length !== bytes.length) throw malformed();
    if (key.keyPacket.version !== 6 || Number(key.keyPacket.algorithm) !== ED25519) throw malformed();
    const tags = [...key.toPacketList()].map((packet) => (packet.constructor as { tag?: number }).tag);
    if (tags.join() !== SHAPE.join()) throw malformed();
    const reader = await key.getEncryptionKey(undefined, date, undefined, { ...pgp.config, ...config });
    if (reader.keyPacket.version !== 6 || Number(reader.keyPacket.algorithm) !== X25519) throw malformed();
    return key;
  } catch (cause) {
    throw cause instanceof IchainError ? cause : malformed(cause);
  }
}

/** The 32-byte v6 fingerprint of a certificate; throws `KEY_MALFORMED`. */
export async function fingerprintOf(openpgpKey: Hex): Promise<Hex> {
  return `0x${(await readCertificate(openpgpKey)).getFingerprint()}`;
}

function malformed(cause?: unknown): IchainError {
  return new IchainError("The public key is not a valid OpenPGP v6 key as ichain uses them.", {
    code: "KEY_MALFORMED",
    class: "untrusted",
    hint: "Its owner has to publish a key made by ichain; do not send anything to this one.",
    cause,
  });
}
