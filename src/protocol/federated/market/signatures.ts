import type { TypedDataDomain, TypedDataField } from "ethers";
import type { Address } from "../../ids.ts";

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
