import { z } from "zod";
import { IchainError } from "../../../errors/error.ts";
import type { Address, Hex } from "../../ids.ts";
import { mayCount } from "../replay.ts";
import {
  type Aggregation,
  aggregationSchema,
  type LedgerDomain,
  memberSchema,
  type RoundMember,
  recordHash,
  signerOf,
  type Upload,
  uploadSchema,
} from "./record.ts";
import { memberLeaf, payLeaf, treeRoot } from "./tree.ts";

/** A ledger as a file: JSON lines, the header first, then each round's uploads and its aggregation. */

const MAX_LINE_CHARS = 1 << 20;
const MAX_LINES = 1_000_000;
const NOTHING = `0x${"0".repeat(64)}` as Hex;

const hex = (digits: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-f]{${digits}}$`))
    .transform((text) => text as Hex);

export const headerSchema = z.strictObject({
  /** Version of the form. */
  ledger: z.literal(1),
  chainId: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  escrow: hex(40),
  job: hex(64),
  name: z.string().min(1).max(64),
  /** Digest of the model that round 1 began with. */
  start: hex(64),
});
export type LedgerHeader = z.infer<typeof headerSchema>;

const uploadLine = z.strictObject({ upload: uploadSchema, signature: hex(130) });
/** `earned`: of every account that was ever paid, in ascending order; the token's smallest unit as decimal digits. */
const earnedSchema = z.array(z.tuple([hex(40), z.string().regex(/^(0|[1-9]\d{0,77})$/)])).max(10_000);
const aggregationLine = z.strictObject({
  aggregation: aggregationSchema,
  members: z.array(memberSchema).min(1).max(10_000),
  earned: earnedSchema,
  signature: hex(130),
});
export type UploadLine = z.infer<typeof uploadLine>;
export type AggregationLine = z.infer<typeof aggregationLine>;

/** An upload with its hash. */
export type RecordedUpload = Upload & { readonly hash: Hex };

export interface LedgerRound {
  readonly aggregation: Aggregation & { readonly hash: Hex };
  readonly members: readonly RoundMember[];
  readonly uploads: readonly RecordedUpload[];
  /** What each account has earned up to this round, smallest unit. */
  readonly earned: ReadonlyMap<Address, bigint>;
}

export interface Ledger {
  readonly header: LedgerHeader;
  readonly rounds: readonly LedgerRound[];
  /** Uploads after the last aggregation. */
  readonly open: readonly RecordedUpload[];
  /** Hash of the last aggregation, which stands for all before it; zero before the first. */
  readonly tip: Hex;
}

/**
 * Reads a ledger and checks all that can be checked without a network: signatures, that each round starts from the model
 * of the one before, that no upload was left out of its round, and that roots and chain follow from what they stand for.
 * @throws LEDGER_MALFORMED, LEDGER_BROKEN, with the line
 */
export function readLedger(lines: Iterable<string>): Ledger {
  let reader: Reader | undefined;
  let number = 0;
  for (const line of lines) {
    number += 1;
    if (line === "") continue;
    if (number > MAX_LINES || line.length > MAX_LINE_CHARS) throw malformed(number, "it is too long");
    const value = parsed(line, number);
    if (reader === undefined) reader = new Reader(shaped(headerSchema, value, number));
    else if (isUpload(value)) reader.upload(shaped(uploadLine, value, number), number);
    else reader.aggregation(shaped(aggregationLine, value, number), number);
  }
  if (reader === undefined) throw malformed(1, "there is no header");
  return reader.ledger();
}

/**
 * One line that is an aggregation, by itself: its form alone is checked.
 * @throws LEDGER_MALFORMED
 */
export function readAggregation(line: string): AggregationLine {
  if (line.length > MAX_LINE_CHARS) throw malformed(1, "it is too long");
  return shaped(aggregationLine, parsed(line, 1), 1);
}

/** The leaves below `payRoot`, in the order of the accounts. */
export function payLeaves(earned: ReadonlyMap<Address, bigint>): Hex[] {
  return [...earned].map(([account, amount]) => payLeaf(account, amount));
}

class Reader {
  readonly #header: LedgerHeader;
  readonly #rounds: LedgerRound[] = [];
  #open: RecordedUpload[] = [];
  #tip = NOTHING;
  #model: Hex;
  #earned: ReadonlyMap<Address, bigint> = new Map();

  constructor(header: LedgerHeader) {
    this.#header = header;
    this.#model = header.start;
  }

  upload({ upload, signature }: UploadLine, line: number): void {
    const hash = this.#signed(upload, upload.provider, signature, line);
    this.#follows(upload, line);
    if (this.#open.some(({ provider }) => provider === upload.provider)) {
      throw broken(line, `${upload.provider} has an upload in round ${upload.round} already`);
    }
    this.#open.push({ ...upload, hash });
  }

  aggregation({ aggregation, members, earned, signature }: AggregationLine, line: number): void {
    const hash = this.#signed(aggregation, aggregation.lead, signature, line);
    this.#follows(aggregation, line);
    if (aggregation.previous !== this.#tip)
      throw broken(line, "it does not follow the aggregation before it");
    this.#checkMembers(members, line);
    const leaves = members.map((member) => memberLeaf(aggregation.round, member));
    if (treeRoot(leaves) !== aggregation.updatesRoot)
      throw broken(line, "its members are not below updatesRoot");
    const sums = this.#checkEarned(members, earned, line);
    if (treeRoot(payLeaves(sums)) !== aggregation.payRoot) throw broken(line, "its pay is not below payRoot");
    this.#rounds.push({ aggregation: { ...aggregation, hash }, members, uploads: this.#open, earned: sums });
    this.#open = [];
    this.#tip = hash;
    this.#model = aggregation.model;
    this.#earned = sums;
  }

  ledger(): Ledger {
    return { header: this.#header, rounds: this.#rounds, open: this.#open, tip: this.#tip };
  }

  #signed(record: Upload | Aggregation, author: Address, signature: Hex, line: number): Hex {
    const hash = recordHash(record, this.#header as LedgerDomain);
    if (signerOf(hash, signature) !== author) throw broken(line, `${author} did not sign it`);
    return hash;
  }

  #follows({ round, parent }: Upload | Aggregation, line: number): void {
    const due = this.#rounds.length + 1;
    if (round !== due) throw broken(line, `it is of round ${round}, where round ${due} is due`);
    if (parent !== this.#model) throw broken(line, `round ${round} does not start from the model before it`);
  }

  /** Every upload has its member; every member that has a hash has its upload. */
  #checkMembers(members: readonly RoundMember[], line: number): void {
    ascending(
      members.map(({ provider }) => provider),
      line,
    );
    for (const { provider, upload, weight, audit } of members) {
      const sent = this.#open.find((one) => one.provider === provider)?.hash ?? NOTHING;
      if (upload !== sent) throw broken(line, `it names another upload of ${provider} than is on record`);
      if (weight > 0 && (sent === NOTHING || !mayCount(audit))) {
        throw broken(line, `the update of ${provider} cannot be in the model`);
      }
    }
    const left = this.#open.find(({ provider }) => !members.some((member) => member.provider === provider));
    if (left !== undefined) throw broken(line, `it leaves out the upload of ${left.provider}`);
  }

  /** No account's sum may fall, and what may not count earns nothing in this round. */
  #checkEarned(
    members: readonly RoundMember[],
    earned: AggregationLine["earned"],
    line: number,
  ): Map<Address, bigint> {
    ascending(
      earned.map(([account]) => account),
      line,
    );
    const sums = new Map<Address, bigint>(earned.map(([account, amount]) => [account, BigInt(amount)]));
    for (const [account, before] of this.#earned) {
      if ((sums.get(account) ?? -1n) < before) throw broken(line, `what ${account} has earned falls`);
    }
    for (const { provider, audit, upload } of members) {
      const more = (sums.get(provider) ?? 0n) - (this.#earned.get(provider) ?? 0n);
      if (more > 0n && (!mayCount(audit) || upload === NOTHING)) {
        throw broken(line, `it pays ${provider}, which has no good update in this round`);
      }
    }
    return sums;
  }
}

function ascending(accounts: readonly Address[], line: number): void {
  if (accounts.some((account, i) => i > 0 && account <= accounts[i - 1]!)) {
    throw malformed(line, "accounts are not in ascending order");
  }
}

function isUpload(value: unknown): boolean {
  return typeof value === "object" && value !== null && "upload" in value;
}

function parsed(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw malformed(number, "it is not JSON", cause);
  }
}

function shaped<T>(schema: z.ZodType<T>, value: unknown, number: number): T {
  const { data, error } = schema.safeParse(value);
  if (error === undefined) return data as T;
  const path = error.issues[0]?.path.join(".") ?? "";
  throw malformed(
    number,
    path === "" ? "it has unknown or missing fields" : `its field ${path} is not valid`,
  );
}

function malformed(line: number, why: string, cause?: unknown): IchainError {
  return new IchainError("LEDGER_MALFORMED", `Line ${line} of the ledger cannot be read: ${why}.`, { cause });
}

function broken(line: number, why: string): IchainError {
  return new IchainError("LEDGER_BROKEN", `Line ${line} of the ledger is not true: ${why}.`);
}
