import { AbiCoder, keccak256 } from "ethers";
import type { Address, Hex } from "../../ids.ts";
import type { RoundMember } from "./record.ts";

/**
 * Merkle trees as OpenZeppelin's `MerkleProof` checks them: a leaf is hashed twice, a pair is hashed in ascending order,
 * an odd node is promoted unchanged.
 */

const NOTHING = `0x${"0".repeat(64)}` as Hex;
const audits = { none: 0, clean: 1, proven: 2, withheld: 3 } as const;

/** Root over leaves in the given order; zero without any. */
export function treeRoot(leaves: readonly Hex[]): Hex {
  return levelsOf(leaves).at(-1)?.[0] ?? NOTHING;
}

/** The siblings on the way from leaf `index` to the root. */
export function proofOf(leaves: readonly Hex[], index: number): Hex[] {
  return levelsOf(leaves).flatMap((level, height) => level[(index >> height) ^ 1] ?? []);
}

/** Whether `leaf` is below `root`. */
export function isBelow(root: Hex, leaf: Hex, proof: readonly Hex[]): boolean {
  return proof.reduce(pairHash, leaf) === root;
}

export function memberLeaf(round: number, member: RoundMember): Hex {
  const { provider, upload, rows, accuracy, weight, audit } = member;
  return leaf(
    ["uint32", "address", "bytes32", "uint64", "uint32", "uint64", "uint8"],
    [round, provider, upload, rows, accuracy, weight, audits[audit]],
  );
}

/** `earned`: in all rounds so far, in the token's smallest unit. */
export function payLeaf(account: Address, earned: bigint): Hex {
  return leaf(["address", "uint256"], [account, earned]);
}

function leaf(types: readonly string[], values: readonly unknown[]): Hex {
  return keccak256(keccak256(AbiCoder.defaultAbiCoder().encode(types, values))) as Hex;
}

function levelsOf(leaves: readonly Hex[]): (readonly Hex[])[] {
  const levels: (readonly Hex[])[] = [leaves];
  for (let level = leaves; level.length > 1; ) {
    const next: Hex[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const right = level[i + 1];
      next.push(right === undefined ? level[i]! : pairHash(level[i]!, right));
    }
    levels.push(next);
    level = next;
  }
  return levels;
}

function pairHash(a: Hex, b: Hex): Hex {
  const [low, high] = a < b ? [a, b] : [b, a];
  return keccak256(`${low}${high.slice(2)}`) as Hex;
}
