import { recoverAddress, type SigningKey, TypedDataEncoder } from "ethers";
import { z } from "zod";
import type { Address, Hex } from "../../ids.ts";
import { replayFindings } from "../replay.ts";

/**
 * What a federated job leaves on record: who made what from what, when, and where it lies (paper 001, figure 1). Each
 * record is signed by its author's account (EIP-712). A round has an upload for each update that arrived, and then one
 * aggregation, which names the aggregation before it: the latest stands for all.
 */

const hash = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/)
  .transform((text) => text as Hex);
const account = z
  .string()
  .regex(/^0x[0-9a-f]{40}$/)
  .transform((text) => text as Address);
const round = z.number().int().min(1).max(10_000);
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** A provider trained one round. */
export const uploadSchema = z.strictObject({
  round,
  provider: account,
  /** Digest of the model that it started from. */
  parent: hash,
  /** Digest of the data that it trained on. */
  data: hash,
  /** Digest of the update. */
  update: hash,
  /** Root of the parcel that holds the update; zero where it did not travel (a simulation). */
  location: hash,
  /** Unix seconds; 0 in a simulation, which has no clock. */
  finishedAt: count,
  /** Duration of the training. */
  seconds: count,
});
export type Upload = z.infer<typeof uploadSchema>;

/** A lead made the round's updates into the next model. */
export const aggregationSchema = z.strictObject({
  round,
  lead: account,
  parent: hash,
  /** Digest of the new model. */
  model: hash,
  /** Name of the strategy. */
  strategy: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
  /** Root over the round's members. */
  updatesRoot: hash,
  /** Root over what each account has earned so far. */
  payRoot: hash,
  /** Root of the parcel that holds the model. */
  location: hash,
  finishedAt: count,
  seconds: count,
  /** Hash of the aggregation of the round before; zero in the first. */
  previous: hash,
});
export type Aggregation = z.infer<typeof aggregationSchema>;

/** What became of one provider in a round; a leaf below `updatesRoot`. */
export const memberSchema = z.strictObject({
  provider: account,
  /** Hash of its upload; zero where nothing arrived. */
  upload: hash,
  /** Of its part. */
  rows: count,
  /** Of model + update on the hidden rows, in millionths. */
  accuracy: z.number().int().min(0).max(1_000_000),
  /** In the mean; 0 where the update was left out. */
  weight: count,
  /** What a replay found, where there was one. */
  audit: z.enum(["none", ...replayFindings]),
});
export type RoundMember = z.infer<typeof memberSchema>;

/** A job on a market; chain 0 is a simulation. */
export interface LedgerDomain {
  readonly chainId: number;
  readonly escrow: Address;
  readonly job: Hex;
}

const recordTypes = {
  Upload: [
    ["job", "bytes32"],
    ["round", "uint32"],
    ["provider", "address"],
    ["parent", "bytes32"],
    ["data", "bytes32"],
    ["update", "bytes32"],
    ["location", "bytes32"],
    ["finishedAt", "uint64"],
    ["seconds", "uint64"],
  ],
  Aggregation: [
    ["job", "bytes32"],
    ["round", "uint32"],
    ["lead", "address"],
    ["parent", "bytes32"],
    ["model", "bytes32"],
    ["strategy", "string"],
    ["updatesRoot", "bytes32"],
    ["payRoot", "bytes32"],
    ["location", "bytes32"],
    ["finishedAt", "uint64"],
    ["seconds", "uint64"],
    ["previous", "bytes32"],
  ],
} as const;

/** What a record's author signs, and what other records name it by. */
export function recordHash(record: Upload | Aggregation, { chainId, escrow, job }: LedgerDomain): Hex {
  const name = "lead" in record ? "Aggregation" : "Upload";
  const types = { [name]: recordTypes[name].map(([field, type]) => ({ name: field, type })) };
  const domain = { name: "ichain", version: "1", chainId, verifyingContract: escrow };
  return TypedDataEncoder.hash(domain, types, { job, ...record }) as Hex;
}

export function signRecord(key: SigningKey, hash: Hex): Hex {
  return key.sign(hash).serialized as Hex;
}

/** The account that signed, in lower case; undefined where the signature is none. */
export function signerOf(hash: Hex, signature: Hex): Address | undefined {
  try {
    return recoverAddress(hash, signature).toLowerCase() as Address;
  } catch {
    return undefined;
  }
}
