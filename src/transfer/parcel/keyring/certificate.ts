import type { PublicKey } from "openpgp";
import { IchainError } from "../../../errors/error.ts";
import { fromHex } from "../../../protocol/bytes.ts";
import { isHex } from "../../../protocol/ids.ts";
import { modern, openpgp } from "./openpgp.ts";

/** Longest binary certificate, bytes; one made by ichain has about 500. */
export const MAX_CERTIFICATE_BYTES = 2048;

// RFC 9580, 9.1
const X25519 = 25;
const ED25519 = 27;
// RFC 9580, 5: a primary key and its self-signature, a subkey and its binding
const SHAPE = [6, 2, 14, 2];

/**
 * Parses a certificate: one OpenPGP v6 Ed25519 key with one self-signature, one valid X25519 encryption subkey and no
 * user IDs (RFC 9580, 10.1.1), at most `MAX_CERTIFICATE_BYTES`. An older key would silently downgrade every message, a
 * huge one would take minutes. Validity is checked at `date`; null skips expiry, for signatures made in the past.
 * @throws KEY_MALFORMED
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

function malformed(cause?: unknown): IchainError {
  return new IchainError(
    "KEY_MALFORMED",
    "The public key is not an OpenPGP v6 certificate of the form that ichain requires.",
    { cause },
  );
}
