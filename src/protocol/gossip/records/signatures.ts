import {
  computeAddress,
  concat,
  getBytes,
  hexlify,
  keccak256,
  Signature,
  type SigningKey,
  TypedDataEncoder,
} from "ethers";
import { recover } from "tiny-secp256k1";
import type { Address, Hex } from "../../ids.ts";
import type { PeerIdentity, RecordKind } from "./encoding.ts";

/** Tells whether a peer signed a record of one network. */
export interface RecordChecker {
  isSigned(kind: RecordKind, digest: Hex, by: PeerIdentity, signature: Hex): boolean;
}

/** Signs a peer's own records. */
export interface RecordSigner {
  readonly identity: PeerIdentity;
  sign(kind: RecordKind, digest: Hex): Hex;
}

const names: Readonly<Record<RecordKind, string>> = {
  transaction: "Transaction",
  receipt: "Receipt",
  block: "Block",
  confirmation: "Confirmation",
  final: "FinalBlock",
};

const encoders = new Map<string, TypedDataEncoder>(
  Object.entries(names).map(([kind, name]) => [
    kind,
    TypedDataEncoder.from({ [name]: [{ name: "digest", type: "bytes32" }] }),
  ]),
);

/** What is signed: the digest as typed data (EIP-712), in a domain that is the network's alone. */
function signedHash(domain: string, kind: RecordKind, digest: Hex): string {
  return keccak256(concat(["0x1901", domain, encoders.get(kind)!.hash({ digest })]));
}

function domainOf(genesis: Hex): string {
  return TypedDataEncoder.hashDomain({ name: "ichain gossip", version: "1", salt: genesis });
}

export function identityOf(key: SigningKey): PeerIdentity {
  return {
    account: computeAddress(key).toLowerCase() as Address,
    publicKey: key.compressedPublicKey as Hex,
  };
}

export function recordSigner(genesis: Hex, key: SigningKey): RecordSigner {
  const domain = domainOf(genesis);
  return {
    identity: identityOf(key),
    sign: (kind, digest) => key.sign(signedHash(domain, kind, digest)).serialized as Hex,
  };
}

/** Accounts of public keys that a checker remembers. */
const ACCOUNTS = 1_024;

/**
 * Remembers the last `remembered` signatures that hold: a running peer sees most of them twice, when a record comes and
 * in the draft of a block.
 */
export function recordChecker(genesis: Hex, remembered = 0): RecordChecker {
  const domain = domainOf(genesis);
  const known = new Set<string>();
  const accounts = new Map<Hex, string>();
  const accountOf = (publicKey: Hex): string => {
    const account = accounts.get(publicKey) ?? computeAddress(publicKey).toLowerCase();
    accounts.set(publicKey, account);
    if (accounts.size > ACCOUNTS) accounts.delete(accounts.keys().next().value!);
    return account;
  };
  return {
    isSigned(kind, digest, { account, publicKey }, signature) {
      const name = `${kind} ${digest} ${account} ${publicKey} ${signature}`;
      if (known.has(name)) return true;
      try {
        const holds =
          signingKey(signedHash(domain, kind, digest), signature) === publicKey &&
          accountOf(publicKey) === account;
        if (holds && remembered > 0) known.add(name);
        if (known.size > remembered) known.delete(known.values().next().value!);
        return holds;
      } catch {
        return false;
      }
    },
  };
}

/** The compressed key that signed `hash`. One signature has one form: of two nobody could say which a record had. */
function signingKey(hash: string, signature: Hex): string | undefined {
  const { r, s, yParity, serialized } = Signature.from(signature);
  if (serialized !== signature) return undefined;
  const key = recover(getBytes(hash), getBytes(concat([r, s])), yParity, true);
  return key === null ? undefined : hexlify(key);
}
