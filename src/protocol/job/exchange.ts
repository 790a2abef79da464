import { AbiCoder, concat, keccak256, toUtf8Bytes } from "ethers";
import { fromHex, toHex, xor } from "../bytes.ts";
import type { Hex, JobId } from "../ids.ts";

/**
 * Fair exchange of key for payment (docs/protocol.md): the provider commits to the session key of the
 * result blinded by the requester's mask; `claim` publishes the blinded key, which only the requester
 * can unblind.
 */

/** keccak256(mask): bound by the terms' `secretHash`. */
export function maskHash(mask: Hex): Hex {
  return keccak256(mask) as Hex;
}

/**
 * x25519 secret that opens the address of a job's result to its validators, whom the provider does not know when it
 * publishes the address: they learn the mask with their appointment. 32 bytes.
 */
export function guestKey(mask: Hex): Hex {
  return keccak256(concat([toUtf8Bytes("ichain/guest-key/1"), mask])) as Hex;
}

/** `SK xor mask`; its own inverse. Both 32 bytes. */
export function blindKey(sessionKey: Hex, mask: Hex): Hex {
  return toHex(xor(fromHex(sessionKey), fromHex(mask)));
}

/**
 * Key of the run report. The requester has `share` from the result's locator and learns the session key when it has
 * paid. Validators know the session key but not the share; they get the report key once they have committed.
 */
export function reportKey(sessionKey: Hex, share: Hex): Hex {
  return keccak256(concat([sessionKey, share])) as Hex;
}

/** keccak256(abi.encode(jobId, SK xor mask)): the commitment that `claim` must open. */
export function keyCommitment(jobId: JobId, blindedKey: Hex): Hex {
  return keccak256(AbiCoder.defaultAbiCoder().encode(["bytes32", "bytes32"], [jobId, blindedKey])) as Hex;
}
