import type { Address, Hex } from "../ids.ts";
import type { Mode } from "./state.ts";

/** Shares are parts of this (`Rule.sol`). */
export const WHOLE = 10_000;

/**
 * Price, parties, deadlines and rule of a job. They are fixed when it is posted; the chain keeps their hash, and every
 * later call passes them again. Amounts in the token's smallest unit (stakes: the coin's), instants in Unix seconds,
 * windows in seconds from the step before.
 */
export interface Terms {
  readonly requester: Address;
  readonly provider: Address;
  /** The zero address means the chain's own coin. */
  readonly token: Address;
  readonly price: bigint;
  /** For each validator who reveals. */
  readonly validatorFee: bigint;
  /** Locked from the provider's stake at `accept`; slashed when it cheats or misses its deadline. */
  readonly providerStake: bigint;
  /** Locked from each validator's stake while it has a seat. */
  readonly validatorStake: bigint;
  /** 0 is optimistic mode: no validators unless the requester challenges. */
  readonly validators: number;
  readonly mode: Mode;
  /** |a − b| that two honest measurements may differ by; fixed point, 1e-9. */
  readonly tolerance: bigint;
  /** Least score that passes; fixed point, 1e-9, larger is better. */
  readonly threshold: bigint;
  /** The provider's share of the price when its work is confirmed and does not reach the threshold; of `WHOLE`. */
  readonly effort: number;
  /** The provider's least and greatest share of the price when the requester stops the job; of `WHOLE`. */
  readonly stop: { readonly floor: number; readonly cap: number };
  readonly acceptBy: number;
  readonly windows: Windows;
  /** keccak256 of the spec's canonical JSON. */
  readonly specHash: Hex;
  /** Merkle root of the bundle's ciphertext. */
  readonly bundleRoot: Hex;
  /** Binds the hash of the 32-byte mask and the tip of the requester's seeds (`seeds.ts`); random, so it makes
   * the terms unique too. */
  readonly secretHash: Hex;
}

export interface Windows {
  readonly run: number;
  readonly appoint: number;
  readonly commit: number;
  readonly reveal: number;
  readonly claim: number;
  readonly challenge: number;
  readonly appeal: number;
}

/** What the requester locks when it posts: the price and all validators' fees, in the token. */
export function lockedBy({
  price,
  validatorFee,
  validators,
}: Pick<Terms, "price" | "validatorFee" | "validators">): bigint {
  return price + validatorFee * BigInt(validators);
}

/** A share of the price, rounded down as the contract does; `share` is a part of `WHOLE`. */
export function shareOf(price: bigint, share: number): bigint {
  return (price * BigInt(share)) / BigInt(WHOLE);
}
