import { createHash } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Abortable } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { Blob } from "../../../ports/transport.ts";
import { CHUNK } from "../../../protocol/federated/codec/chunk.ts";
import { leaves } from "../../../protocol/federated/codec/residual.ts";
import { updateDigest } from "../../../protocol/federated/digest.ts";
import { type AggregationLine, readAggregation } from "../../../protocol/federated/ledger/ledger.ts";
import {
  type LedgerDomain,
  recordHash,
  type Upload,
  uploadSchema,
} from "../../../protocol/federated/ledger/record.ts";
import { memberLeaf, treeRoot } from "../../../protocol/federated/ledger/tree.ts";
import type { FederatedJob } from "../../../protocol/federated/market/job.ts";
import { mayCount } from "../../../protocol/federated/replay.ts";
import { chunkFromBytes, LARGEST_UNITS, Vector } from "../../../protocol/federated/vector.ts";
import { type Address, type Hex, sameAddress } from "../../../protocol/ids.ts";
import { parcelBytes } from "../../../protocol/limits.ts";
import type { WorkerContext } from "../../context.ts";
import { writeVector } from "../aggregation/vector-file.ts";
import type { Residuals } from "../encode.ts";
import { readBounded } from "./read-bounded.ts";

/** What the provider of a top-k update shows who replays it: files of a parcel. */
const AFTER = "after.vector";
const BEFORE = "before.vector";
/** The update of the round before, whose header names the residual that it left. */
const SENT = "before.bin";
const TOLD = "told.json";
const FILES = 4;

const MAX_LINE = 1 << 16;
const MAX_TOLD = 2 * MAX_LINE;
const NOTHING = `0x${"0".repeat(64)}` as Hex;

const toldSchema = z.strictObject({
  /** The aggregation of the round before, as the ledger has it. */
  line: z.string().max(MAX_LINE).optional(),
  /** This provider's upload in it. */
  upload: uploadSchema.optional(),
});

/** The update of the round before, and the residual that it left. */
export interface SentBefore {
  readonly upload: Upload;
  readonly bytes: Uint8Array;
  readonly residual: Vector;
}

interface RoundOf {
  readonly job: Pick<FederatedJob, "closings">;
  readonly round: number;
  readonly domain: LedgerDomain;
}

/** The aggregation of the round before, once `line` is seen to be what the chain names; undefined where it is not. */
export function aggregationBefore(
  { job, round, domain }: RoundOf,
  line: string | undefined,
): AggregationLine | undefined {
  const closed = job.closings[round - 2]?.closing;
  if (closed === undefined || line === undefined) return undefined;
  try {
    const told = readAggregation(line);
    const leafs = told.members.map((member) => memberLeaf(round - 1, member));
    const isChains =
      recordHash(told.aggregation, domain) === closed.ledgerTip &&
      treeRoot(leafs) === told.aggregation.updatesRoot;
    return isChains ? told : undefined;
  } catch (error) {
    if (isIchainError(error, "LEDGER_MALFORMED")) return undefined;
    throw error;
  }
}

/**
 * Hash of the upload whose residual the next round's update of `account` begins with: the one that the round before counted.
 * Undefined where it counted none, or a replay found against it: the update then begins with nothing.
 */
export function carriedUpload({ members }: AggregationLine, account: Address): Hex | undefined {
  const own = members.find(({ provider }) => sameAddress(provider, account));
  return own === undefined || own.upload === NOTHING || !mayCount(own.audit) ? undefined : own.upload;
}

/** Bytes of the parcel of an update's residuals, at most. */
export function maxResidualBytes(length: number): number {
  return parcelBytes(2 * 8 * length + 8 * length + MAX_TOLD);
}

/** Packs what an update left unsaid, and what shows what it began with. */
export async function packResiduals(
  { parcels }: Pick<WorkerContext, "parcels">,
  folder: string,
  {
    line,
    before,
    after,
  }: { readonly line: string | undefined; readonly before: SentBefore | undefined; readonly after: Vector },
  options: Abortable,
): Promise<{ readonly blob: Blob; readonly key: Hex }> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  writeVector(join(folder, AFTER), after);
  const told = { ...(line !== undefined && { line }), ...(before && { upload: before.upload }) };
  await writeFile(join(folder, TOLD), JSON.stringify(told));
  if (before !== undefined) {
    writeVector(join(folder, BEFORE), before.residual);
    await writeFile(join(folder, SENT), before.bytes);
  }
  const packed = await parcels.pack({ root: folder, paths: ["."], out: `${folder}.parcel` }, options);
  await rm(folder, { recursive: true, force: true });
  return { blob: packed.blob, key: packed.sessionKey };
}

/** Opens the parcel of an update's residuals in `folder`; nothing of it is believed yet. */
export async function openResiduals(
  { parcels }: Pick<WorkerContext, "parcels">,
  {
    blob,
    key,
    folder,
    length,
  }: { readonly blob: Blob; readonly key: Hex; readonly folder: string; length: number },
  options: Abortable,
): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const limits = { maxBytes: maxResidualBytes(length), maxFiles: FILES };
  await parcels.open({ blob, sessionKey: key, into: folder, limits }, options);
}

/**
 * The residuals in `folder`, once they are seen to be those that the provider signed: the one after by the header of the
 * update `sent`, the one before by the header of the update that the chain's ledger counts in the round before, and none
 * where it counts none. Undefined where they are not: the provider shows nothing.
 */
export async function residualsIn(
  folder: string,
  {
    account,
    sent,
    length,
    ...of
  }: RoundOf & { readonly account: Address; readonly sent: Uint8Array; readonly length: number },
): Promise<Residuals | undefined> {
  try {
    const after = await boundedVector(join(folder, AFTER), length);
    if (after === undefined || !leaves(sent, after, createHash("sha256"))) return undefined;
    if (of.round === 1) return { before: undefined, after };
    const text = Buffer.from(await readBounded(join(folder, TOLD), MAX_TOLD)).toString("utf8");
    const told = toldSchema.safeParse(parsed(text));
    const aggregation = told.success ? aggregationBefore(of, told.data.line) : undefined;
    if (aggregation === undefined) return undefined;
    const carried = carriedUpload(aggregation, account);
    if (carried === undefined) return { before: undefined, after };
    const upload = told.data?.upload;
    if (upload === undefined || recordHash(upload, of.domain) !== carried) return undefined;
    const bytes = await readBounded(join(folder, SENT), 8 * length + MAX_LINE);
    if (updateDigest(createHash("sha256"), [bytes]) !== upload.update) return undefined;
    const before = await boundedVector(join(folder, BEFORE), length);
    if (before === undefined || !leaves(bytes, before, createHash("sha256"))) return undefined;
    return { before, after };
  } catch (error) {
    if (isIchainError(error) && error.class === "untrusted") return undefined;
    throw error;
  }
}

/** A stranger's vector of exactly `length` values, none larger than a model's may be. */
async function boundedVector(path: string, length: number): Promise<Vector | undefined> {
  const bytes = await readBounded(path, 8 * length);
  if (bytes.length !== 8 * length) return undefined;
  const vector = new Vector(length);
  for (let at = 0; at < length; at += CHUNK)
    chunkFromBytes(bytes.subarray(8 * at, 8 * Math.min(at + CHUNK, length)), vector.units.subarray(at));
  return vector.units.every((units) => Math.abs(units) <= LARGEST_UNITS) ? vector : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
