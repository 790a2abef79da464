import { AbiCoder, keccak256 } from "ethers";
import type { Address, Hex, JobId } from "../ids.ts";

/** One party's measurement. Provider and validators commit to theirs before they see another's. */
export interface Measurement {
  /** SHA-256 over the outputs, independent of the parcel (`filesDigest`). */
  readonly digest: Hex;
  /** Primary metric, fixed point, larger is better. */
  readonly score: bigint;
  /** 32 random bytes, so that a commitment cannot be opened by guessing. */
  readonly salt: Hex;
}

/** Binds the measurement to job and author: another address that copies the commitment cannot open it. */
export function measurementCommitment(jobId: JobId, author: Address, m: Measurement): Hex {
  return keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ["bytes32", "address", "bytes32", "int64", "bytes32"],
      [jobId, author, m.digest, m.score, m.salt],
    ),
  ) as Hex;
}
