import { AbiCoder, keccak256 } from "ethers";
import type { Address, Hex, JobId } from "../ids.ts";

/** What one party found: provider and validator each commit to theirs before it sees the other's. */
export interface Measurement {
  /** SHA-256 over the outputs, whatever parcel carried them (see `protocol/digest.ts`). */
  readonly digest: Hex;
  /** Primary metric, fixed point, larger is better. */
  readonly score: bigint;
  /** 32 random bytes, so that a commitment cannot be guessed open. */
  readonly salt: Hex;
}

/** Binds the measurement to job and author: a commitment copied by another address opens to nothing. */
export function measurementCommitment(jobId: JobId, author: Address, m: Measurement): Hex {
  return keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ["bytes32", "address", "bytes32", "int64", "bytes32"],
      [jobId, author, m.digest, m.score, m.salt],
    ),
  ) as Hex;
}
