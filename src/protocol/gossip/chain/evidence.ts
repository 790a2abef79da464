import { IchainError, isIchainError } from "../../../errors/error.ts";
import type { Address } from "../../ids.ts";
import { type Genesis, genesisDigest } from "../genesis.ts";
import type { JobPool } from "../job-pool.ts";
import type { FinalBlock } from "../records/block.ts";
import { type RecordChecker, recordChecker } from "../records/signatures.ts";
import { readChain } from "./chain-file.ts";

/**
 * What a peer hands to a pool's validators, as one file: "ichain/evidence/1\n", then its chain as `gossip export` writes it
 * and each model as it travelled, each behind its length in four bytes, big-endian.
 */
const MAGIC = Buffer.from("ichain/evidence/1\n");
/** Of the chain: its signatures are checked one after the other. */
export const MOST_CHAIN_BYTES = 16 << 20;
const MOST_MODELS = 1 << 16;

export function writeEvidence(chain: Uint8Array, models: readonly Uint8Array[]): Uint8Array {
  const parts = [chain, ...models].flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return [length, part];
  });
  return Buffer.concat([MAGIC, ...parts]);
}

export interface PoolEvidence {
  readonly genesis: Genesis;
  readonly blocks: readonly FinalBlock[];
  /** Views into the file, unchecked: a model is what its digest says. */
  readonly models: readonly Uint8Array[];
}

/** A checker of records that were checked before. */
const known: RecordChecker = { isSigned: () => true };

/**
 * Reads what the peer `account` handed over, and checks its chain; `again`: without its signatures, which held before.
 * @throws UPDATE_INVALID
 */
export function readEvidence(
  file: Uint8Array,
  {
    account,
    pool,
    again = false,
  }: { readonly account: Address; readonly pool: JobPool; readonly again?: boolean },
): PoolEvidence {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  if (bytes.length > pool.evidence || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw invalid("its form is another");
  const parts: Uint8Array[] = [];
  for (let at = MAGIC.length; at < bytes.length; ) {
    const end = at + 4 <= bytes.length ? at + 4 + bytes.readUInt32BE(at) : Number.POSITIVE_INFINITY;
    if (end > bytes.length || parts.length > MOST_MODELS) throw invalid("it is cut off");
    parts.push(bytes.subarray(at + 4, end));
    at = end;
  }
  const [chain, ...models] = parts;
  if (chain === undefined || chain.length > MOST_CHAIN_BYTES)
    throw invalid("its chain is missing or too long");
  const { genesis, blocks } = chainIn(chain, again);
  if (genesisDigest(genesis) !== pool.genesis) throw invalid("its chain is of another network");
  const owner = blocks[0]?.block.creator.account;
  if (owner !== undefined && owner !== account.toLowerCase()) throw invalid("its chain is another peer's");
  return { genesis, blocks, models };
}

function chainIn(chain: Uint8Array, again: boolean) {
  const text = Buffer.from(chain.buffer, chain.byteOffset, chain.length).toString("utf8");
  try {
    return readChain(text.split("\n"), again ? () => known : recordChecker);
  } catch (error) {
    if (!isIchainError(error)) throw error;
    throw invalid(error.message, error);
  }
}

function invalid(why: string, cause?: unknown): IchainError {
  return new IchainError(
    "UPDATE_INVALID",
    `What a peer handed over is not valid: ${why.replace(/\.$/, "")}.`,
    {
      cause,
    },
  );
}
