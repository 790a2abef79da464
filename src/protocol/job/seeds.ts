import { concat, keccak256 } from "ethers";
import type { Hex } from "../ids.ts";

/**
 * Seeds for draws of validators: a hash chain from a 32-byte secret, of which the contract knows the tip.
 * Draw n of a job needs the n-th seed, from which n hashes lead to the tip, so that each is fresh
 * (`IJobEscrow`, "Draws").
 */

/** Length of the chain: more draws than a job can have (first, challenge, appeal, and a refill of each). */
const SEEDS = 8;

/** The tip of the chain, which is published: `SEEDS` hashes from the secret. */
export function seedTip(secret: Hex): Hex {
  return hashed(secret, SEEDS);
}

/** The seed of the n-th draw, n from 1 to `SEEDS`. */
export function seedOf(secret: Hex, draw: number): Hex {
  return hashed(secret, SEEDS - draw);
}

/** `Terms.secretHash`: binds the requester's mask and its seeds. */
export function secretHash(maskHash: Hex, tip: Hex): Hex {
  return pairHash(maskHash, tip);
}

/** How the contract stores the provider's commitments to its key and its seeds: as one hash. */
export function secretsCommitment(keyCommitment: Hex, tip: Hex): Hex {
  return pairHash(keyCommitment, tip);
}

function hashed(secret: Hex, times: number): Hex {
  let value = secret;
  for (let i = 0; i < times; i++) value = keccak256(value) as Hex;
  return value;
}

function pairHash(a: Hex, b: Hex): Hex {
  return keccak256(concat([a, b])) as Hex;
}
