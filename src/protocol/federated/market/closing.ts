import { AbiCoder, encodeBytes32String, keccak256 } from "ethers";
import type { Address, Hex } from "../../ids.ts";

/** What the seats say of a round, as `IFederated.Closing`. */
export interface Closing {
  /** From 1. */
  readonly round: number;
  /** Of the round's updates. */
  readonly updatesRoot: Hex;
  /** Of the new model's numbers. */
  readonly modelDigest: Hex;
  /** Of the parcel that holds the new model. */
  readonly modelRoot: Hex;
  /** Over the leaves of `payLeaf`. */
  readonly payRoot: Hex;
  /** The parcel's key xor the round's mask. */
  readonly blindedKey: Hex;
  /** Hash of the round's aggregation record in the job's ledger. */
  readonly ledgerTip: Hex;
}

/** A closing as the chain keeps it, by its hash: `IFederated.Closed`. */
export interface Closed {
  readonly closing: Closing;
  /** Unix seconds. */
  readonly closedAt: number;
  /** Providers that asserted an upload to the round. */
  readonly asserted: number;
  /** Seats that signed, ascending. */
  readonly signers: readonly Address[];
  /** Hash of the one before; zero for the first. */
  readonly previous: Hex;
}

const CLOSING =
  "tuple(uint16 round, bytes32 updatesRoot, bytes32 modelDigest, bytes32 modelRoot, bytes32 payRoot, " +
  "bytes32 blindedKey, bytes32 ledgerTip)";
const CLOSED = `tuple(${CLOSING} closing, uint40 closedAt, uint8 asserted, address[] signers, bytes32 previous)`;

const abi = AbiCoder.defaultAbiCoder();

/** The hash that the chain keeps of a closing, and with it of all before. */
export function closedHash(closed: Closed): Hex {
  return keccak256(abi.encode([CLOSED], [closed])) as Hex;
}

/** What a panel reveals that agrees with a closing, as `FederatedEscrow.findingOf`. */
export function findingOf({ updatesRoot, modelDigest, payRoot }: Closing): Hex {
  const values = [updatesRoot, modelDigest, payRoot];
  return keccak256(abi.encode(["bytes32", "bytes32", "bytes32"], values)) as Hex;
}

/** What a panel reveals that confirms a strike. */
export const GUILTY = encodeBytes32String("guilty") as Hex;
/** What a panel reveals that does not confirm a strike, or finds that a round does not give what its closing says. */
export const CLEAR = encodeBytes32String("clear") as Hex;

/** What a validator of a panel commits to before it reveals `finding`; `provider` is zero for a closing. */
export function findingCommitment(
  job: Hex,
  provider: Address,
  validator: Address,
  finding: Hex,
  salt: Hex,
): Hex {
  const types = ["bytes32", "address", "address", "bytes32", "bytes32"];
  return keccak256(abi.encode(types, [job, provider, validator, finding, salt])) as Hex;
}
