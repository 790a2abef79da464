import type { Key, PublicKey, SignaturePacket } from "openpgp";
import { IchainError } from "../../../errors/error.ts";
import { type Address, sameAddress } from "../../../protocol/ids.ts";
import type { Party } from "../../../protocol/offer.ts";
import { readCertificate } from "./certificate.ts";

/**
 * Keys and wallet name each other. The wallet signs fingerprint and onion key (EIP-712; checked by the registry and by
 * `chain/keys.ts`). The certificate names the wallet in a notation (RFC 9580, 5.2.3.24) of its own self-signature:
 * otherwise anyone could put another party's certificate into an offer.
 */
const NOTATION = "wallet@ichain";

/** The notation in the self-signature of the keys of `account`. */
export function walletNotation(account: Address) {
  const value = new TextEncoder().encode(account.toLowerCase());
  return { name: NOTATION, value, humanReadable: true, critical: false };
}

/** The wallets that the self-signature of `key` names; exactly one in a certificate made by ichain. */
export function walletsNamed(key: Key): string[] {
  // Only hashed subpackets (RFC 9580, 5.2.3.7): openpgp.js drops notations that are not signed.
  const [, selfSignature] = [...key.toPacketList()] as SignaturePacket[];
  const notations = selfSignature?.rawNotations ?? [];
  return notations
    .filter(({ name }) => name === NOTATION)
    .map(({ value }) => new TextDecoder().decode(value));
}

/**
 * The certificate of a party, valid now and bound to its account.
 * @throws KEY_MALFORMED, KEY_NOT_BOUND
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
  return new IchainError("KEY_NOT_BOUND", `The OpenPGP certificate of ${account} ${why}.`, {
    details: { account },
  });
}
