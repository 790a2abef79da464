import { concat, keccak256, toBeHex } from "ethers";
import { IchainError } from "../../errors/error.ts";
import { proofOf, treeRoot } from "../federated/ledger/tree.ts";
import type { Address, Hex } from "../ids.ts";
import { rowLeaf } from "./terms.ts";

/** Of one row in UTF-8: a corrected row fits into the call that fixes. */
export const MAX_ROW_BYTES = 1024;
/** Rows of one entry. */
export const MAX_ENTRY_ROWS = 100_000;
/** Of an entry's rows together, as {@link encodeRows} writes them. */
export const MAX_ROWS_BYTES = 64 << 20;

/**
 * Rows of a file: its lines, whatever they hold (text, CSV without line breaks in fields, JSON lines). A line feed ends
 * a row; the last may go without.
 * @throws CAMPAIGN_ROWS_INVALID
 */
export function decodeRows(bytes: Uint8Array): string[] {
  if (bytes.length > MAX_ROWS_BYTES) throw invalid("it has more than 64 MiB");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw invalid("it is not UTF-8", cause);
  }
  const rows = text.split("\n");
  if (rows.at(-1) === "") rows.pop();
  if (rows.length === 0) throw invalid("it has no rows");
  if (rows.length > MAX_ENTRY_ROWS) throw invalid(`it has more than ${MAX_ENTRY_ROWS} rows`);
  for (const [i, row] of rows.entries()) {
    if (row === "") throw invalid(`row ${i} is empty`);
    if (Buffer.byteLength(row) > MAX_ROW_BYTES) throw invalid(`row ${i} has more than 1 KiB`);
  }
  return rows;
}

/** The same rows as bytes, each ended by a line feed. */
export function encodeRows(rows: readonly string[]): Uint8Array {
  return new TextEncoder().encode(rows.map((row) => `${row}\n`).join(""));
}

/**
 * Of one row: keccak256 of its UTF-8. In a private campaign a salt stands before it (`rowSalt`), so that a row that is
 * guessed cannot be recognised by its hash.
 */
export function rowDigest(row: string, salt?: Hex): Hex {
  const bytes = new TextEncoder().encode(row);
  return keccak256(salt === undefined ? bytes : concat([salt, bytes])) as Hex;
}

/** The salt of row number `row` under the key of its entry's parcel; undefined where the campaign is public. */
export function rowSalt(key: Hex | undefined, row: number): Hex | undefined {
  if (key === undefined) return undefined;
  return keccak256(concat([new TextEncoder().encode("ichain/row"), key, toBeHex(row, 4)])) as Hex;
}

/**
 * The root of an entry with these rows, as `DataCampaign.add` takes it.
 * @param key Of the entry's parcel, in a private campaign.
 */
export function rowsRoot(author: Address, rows: readonly string[], key?: Hex): Hex {
  return treeRoot(leavesOf(author, rows, key));
}

/** That `row` is in that entry, as `DataCampaign.fix` takes it. */
export function rowProof(author: Address, rows: readonly string[], row: number, key?: Hex): readonly Hex[] {
  return proofOf(leavesOf(author, rows, key), row);
}

function leavesOf(author: Address, rows: readonly string[], key: Hex | undefined): Hex[] {
  return rows.map((row, i) => rowLeaf(author, i, rowDigest(row, rowSalt(key, i))));
}

function invalid(why: string, cause?: unknown): IchainError {
  return new IchainError("CAMPAIGN_ROWS_INVALID", `The file of rows cannot be used: ${why}.`, { cause });
}
