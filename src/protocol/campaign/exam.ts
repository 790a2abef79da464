import { AbiCoder, keccak256, toUtf8Bytes } from "ethers";
import { isBelow, proofOf, treeRoot } from "../federated/ledger/tree.ts";
import type { Hex } from "../ids.ts";

/**
 * The hidden test set of a campaign: rows dealt into slices, each under a salt of its own, committed by one root when the
 * campaign is opened and shown slice by slice. Without the salts a data set that many have could be recognised by its
 * hash.
 */
export interface ExamSlice {
  /** Lines of text, without line ends. */
  readonly rows: readonly string[];
  /** 32 random bytes. */
  readonly salt: Hex;
}

/** A slice as it is shown, and what `DataCampaign.reveal` takes. */
export interface ShownSlice {
  readonly slice: number;
  readonly digest: Hex;
  readonly salt: Hex;
  readonly proof: readonly Hex[];
}

/** Deals rows in turn, so that slices differ by one row at most; one salt a slice. */
export function dealExam(rows: readonly string[], salts: readonly Hex[]): ExamSlice[] {
  return salts.map((salt, slice) => ({ salt, rows: rows.filter((_, i) => i % salts.length === slice) }));
}

/** What terms hold of the test set, as `examRoot`. */
export function examRootOf(slices: readonly ExamSlice[]): Hex {
  return treeRoot(leavesOf(slices));
}

/** How slice number `slice` is shown. */
export function showSlice(slices: readonly ExamSlice[], slice: number): ShownSlice {
  const { rows, salt } = slices[slice]!;
  return { slice, digest: sliceDigest(rows), salt, proof: proofOf(leavesOf(slices), slice) };
}

/** Whether `rows` are those of a slice that was shown, and it is what the root committed to. */
export function isShown(
  root: Hex,
  { slice, digest, salt, proof }: ShownSlice,
  rows: readonly string[],
): boolean {
  return digest === sliceDigest(rows) && isBelow(root, sliceLeaf(slice, salt, digest), proof);
}

/** keccak256 of the rows in UTF-8, each ended by a line feed. */
export function sliceDigest(rows: readonly string[]): Hex {
  return keccak256(toUtf8Bytes(rows.map((row) => `${row}\n`).join(""))) as Hex;
}

function leavesOf(slices: readonly ExamSlice[]): Hex[] {
  return slices.map(({ rows, salt }, slice) => sliceLeaf(slice, salt, sliceDigest(rows)));
}

function sliceLeaf(slice: number, salt: Hex, digest: Hex): Hex {
  const encoded = AbiCoder.defaultAbiCoder().encode(["uint8", "bytes32", "bytes32"], [slice, salt, digest]);
  return keccak256(keccak256(encoded)) as Hex;
}
