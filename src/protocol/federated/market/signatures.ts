import { type TypedDataDomain, TypedDataEncoder, type TypedDataField } from "ethers";
import type { Address, Hex } from "../../ids.ts";
import type { LedgerDomain } from "../ledger/record.ts";
import type { Closing } from "./closing.ts";
import type { Strike } from "./events.ts";

/** The EIP-712 domain of an escrow of federated jobs. */
export function federatedDomain(chainId: bigint, escrow: Address): TypedDataDomain {
  return { name: "ichain", version: "1", chainId, verifyingContract: escrow };
}

type Types = Record<string, TypedDataField[]>;

const fields = (text: string): TypedDataField[] =>
  text.split(", ").map((field) => {
    const [type, name] = field.split(" ");
    return { type: type!, name: name! };
  });

/** By the requester: this account may enlist. */
export const admissionTypes: Types = { Admission: fields("bytes32 job, address provider") };

/** By a seat: what became of a round; see `Closing`. */
export const closingTypes: Types = {
  Closing: fields(
    "bytes32 job, uint16 round, bytes32 updatesRoot, bytes32 modelDigest, bytes32 modelRoot, bytes32 payRoot, " +
      "bytes32 blindedKey, bytes32 ledgerTip",
  ),
};

/** By a seat: a replay of the provider's training does not give the update that it signed. */
export const strikeTypes: Types = {
  Strike: fields("bytes32 job, address provider, uint16 round, bytes32 upload"),
};

/** What a seat signs to close a round. */
export function signedClosing({ chainId, escrow, job }: LedgerDomain, closing: Closing): Hex {
  const domain = federatedDomain(BigInt(chainId), escrow);
  return TypedDataEncoder.hash(domain, closingTypes, { job, ...closing }) as Hex;
}

/** What a seat signs to strike a provider. */
export function signedStrike({ chainId, escrow, job }: LedgerDomain, strike: Strike): Hex {
  const domain = federatedDomain(BigInt(chainId), escrow);
  return TypedDataEncoder.hash(domain, strikeTypes, { job, ...strike }) as Hex;
}
