import type { Key, PublicKey, SignaturePacket } from "openpgp";
import { IchainError } from "../../../errors/error.ts";
import { type Address, sameAddress } from "../../../protocol/ids.ts";
import type { Party } from "../../../protocol/offer.ts";
import { readCertificate } from "./certificate.ts";

/**
 * Keys and wallet name each other. The wallet signs fingerprint and onion key (EIP-712; the registry and
 * `chain/keys.ts` check it). The certificate names the wallet in a notation (RFC 9580, 5.2.3.24) of its own
 * self-signature: without it, anybody could put somebody else's certificate into an offer.
 */
const NOTATION = "wallet@ichain";

/** The notation that a self-signature by the keys of `account` carries. */
export function walletNotation(account: Address) {
  const value = new TextEncoder().encode(account.toLowerCase());
  return { name: NOTATION, value, humanReadable: true, critical: false };
}

/** What the self-signature of `key` names as its wallet; one address in every certificate of ours. */
export function walletsNamed(key: Key): string[] {
  // Only the hashed half of a signature gets here: openpgp.js drops notations that nobody signed.
  const [, selfSignature] = [...key.toPacketList()] as SignaturePacket[];
  const notations = selfSignature?.rawNotations ?? [];
  return notations
    .filter(({ name }) => name === NOTATION)
    .map(({ value }) => new TextDecoder().decode(value));
}

/**
 * The certificate of `reader`, valid now and bound to its account. Throws `KEY_MALFORMED` or
 * `KEY_NOT_BOUND`, class `untrusted`.
 */
export async function readBoundCertificate({ account, keys }: Party): Promise<PublicKey> {
  const key = await readCertificate(keys.openpgpKey, new Date());
  if (`0x${key.getFingerprint()}` !== keys.fingerprint.toLowerCase()) {
    throw notBound(account, "is not the one that it has signed");
  }
  const [named, ...more] = walletsNamed(key);
  if (named === undefined) throw notBound(account, "names no wallet");
  if (more.length > 0) throw notBound(account, "names more than one wallet");
  if (!sameAddress(named, account)) throw notBound(account, "names another wallet");
  return key;
}

function notBound(account: Address, why: string): IchainError {
  return new IchainError(`The OpenPGP certificate of ${account} ${why}.`, {
    code: "KEY_NOT_BOUND",
    class: "untrusted",
    hint: "Seal nothing to it. If its owner runs an old ichain, a newer one publishes a certificate that does.",
    details: { account },
  });
}
