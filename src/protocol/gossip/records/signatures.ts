import { computeAddress, SigningKey, TypedDataEncoder } from "ethers";
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

/** What is signed: the digest as typed data (EIP-712), in a domain that is the network's alone. */
function signedHash(genesis: Hex, kind: RecordKind, digest: Hex): Hex {
  const domain = { name: "ichain gossip", version: "1", salt: genesis };
  const types = { [names[kind]]: [{ name: "digest", type: "bytes32" }] };
  return TypedDataEncoder.hash(domain, types, { digest }) as Hex;
}

export function identityOf(key: SigningKey): PeerIdentity {
  return {
    account: computeAddress(key).toLowerCase() as Address,
    publicKey: key.compressedPublicKey as Hex,
  };
}

export function recordSigner(genesis: Hex, key: SigningKey): RecordSigner {
  return {
    identity: identityOf(key),
    sign: (kind, digest) => key.sign(signedHash(genesis, kind, digest)).serialized as Hex,
  };
}

/**
 * Remembers the last `remembered` signatures that hold: a running peer sees most of them twice, when a record comes and
 * in the draft of a block.
 */
export function recordChecker(genesis: Hex, remembered = 0): RecordChecker {
  const known = new Set<string>();
  return {
    isSigned(kind, digest, { account, publicKey }, signature) {
      const name = `${kind} ${digest} ${account} ${publicKey} ${signature}`;
      if (known.has(name)) return true;
      try {
        const found = SigningKey.recoverPublicKey(signedHash(genesis, kind, digest), signature);
        const holds =
          SigningKey.computePublicKey(found, true) === publicKey &&
          computeAddress(found).toLowerCase() === account;
        if (holds && remembered > 0) known.add(name);
        if (known.size > remembered) known.delete(known.values().next().value!);
        return holds;
      } catch {
        return false;
      }
    },
  };
}
