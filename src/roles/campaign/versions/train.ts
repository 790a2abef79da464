import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { keccak256 } from "ethers";
import type { Abortable } from "../../../async/abort.ts";
import { IchainError } from "../../../errors/error.ts";
import type { Journal } from "../../../ports/journal.ts";
import type { MarketReader } from "../../../ports/market.ts";
import { type Campaign, campaignAsOf } from "../../../protocol/campaign/campaign.ts";
import { encodeRows } from "../../../protocol/campaign/rows.ts";
import { MAX_WITHOUT, type Training, type Version, versionsOf } from "../../../protocol/campaign/versions.ts";
import type { Hex, JobId } from "../../../protocol/ids.ts";
import type { JobFile } from "../../../protocol/task/spec.ts";
import type { RoleContext } from "../../context.ts";
import { linksOf } from "../../job/requester/successors/go-on.ts";
import { keepFile } from "../market/files.ts";
import { hiddenSlices } from "../market/reveal.ts";
import { type AcceptedRows, acceptedRows } from "./accepted.ts";
import { jobOf } from "./check.ts";

/** Between two times that an author is asked for its rows, milliseconds. */
const AGAIN_MS = 5_000;

/** Names of the two files that a job trains and is examined on, beside its job.yaml. */
export const trainingFiles = { rows: "rows.txt", hidden: "hidden.txt" } as const;

/**
 * Refuses a job that would train on something else, or show the hidden test set to its provider.
 * @throws CAMPAIGN_JOB_UNFIT
 */
export function checkTraining({ inputs, verification }: JobFile): void {
  const { rows, hidden } = trainingFiles;
  if (!inputs.includes(rows)) throw unfit(`${rows} is not among its inputs`);
  if (inputs.includes(hidden)) throw unfit(`its provider would get ${hidden}`);
  if (!verification.inputs?.includes(hidden)) throw unfit(`${hidden} is not among the exam's inputs`);
}

/** What of a campaign's rows is to be in a version. */
export interface Scope {
  /** Entries that are left out. */
  readonly without: readonly number[];
  /** Leave out those too that cannot be had. */
  readonly available: boolean;
  /** Ask for those that cannot be had again and again for this time, seconds. */
  readonly wait: number;
  /** For which an author may be silent each time, milliseconds; a minute unless given. */
  readonly quietMs?: number | undefined;
}

/**
 * Writes the rows that can no longer be fixed, and the hidden test set, into a job's folder.
 * @throws CAMPAIGN_HIDDEN_LOST, CAMPAIGN_NO_ENTRY, CAMPAIGN_NO_ROW where none is accepted yet, and CAMPAIGN_ROWS_MISSING
 * where an entry can neither be had nor left out
 */
export async function layTraining(
  context: RoleContext,
  { id }: Pick<Campaign, "id">,
  { folder, scope }: { readonly folder: string; readonly scope: Scope },
  options: Abortable,
): Promise<Omit<Training, "job">> {
  const block = await context.market.blockNumber(options);
  const campaign = campaignAsOf(await context.market.campaign(id, options), block);
  const slices = await hiddenSlices(context, campaign);
  const { rows, without } = await rowsWithin(context, campaign, scope, options);
  if (rows.length === 0) {
    throw new IchainError("CAMPAIGN_NO_ROW", "No row of the campaign is accepted yet, or to be had.", {
      hint: 'Rows are accepted once they can no longer be fixed, by "ichain data refund".',
    });
  }
  const bytes = encodeRows(rows);
  await keepFile(join(folder, trainingFiles.rows), bytes);
  await keepFile(join(folder, trainingFiles.hidden), encodeRows(slices.flatMap((slice) => slice.rows)));
  return { rowsDigest: keccak256(bytes) as Hex, rows: rows.length, without, block };
}

async function rowsWithin(
  context: RoleContext,
  campaign: Campaign,
  { without, available, wait, quietMs }: Scope,
  options: Abortable,
): Promise<{ rows: readonly string[]; without: number[] }> {
  const { length } = campaign.rules.entries;
  const strange = without.find((entry) => entry >= length);
  if (strange !== undefined)
    throw new IchainError(
      "CAMPAIGN_NO_ENTRY",
      `The campaign has ${length} entries, none of them ${strange}.`,
    );
  const until = performance.now() + wait * 1000;
  for (;;) {
    const { rows, missing } = await acceptedRows(context, campaign, new Set(without), {
      ...options,
      quietMs,
    });
    if (missing.length > 0 && performance.now() < until) {
      const text = `Entry ${listed(missing)} cannot be had yet: its author is asked again`;
      context.reporter.emit({ kind: "warn", text });
      await delay(AGAIN_MS, undefined, options);
      continue;
    }
    if (missing.length > 0 && !available) throw rowsMissing(missing);
    for (const { entry, error } of missing)
      context.reporter.emit({ kind: "warn", text: `Entry ${entry} is left out: ${error.message}` });
    const left = [...new Set([...without, ...missing.map(({ entry }) => entry)])].toSorted((a, b) => a - b);
    if (left.length > MAX_WITHOUT) {
      const why = `${left.length} entries would be left out, and a version names at most ${MAX_WITHOUT}`;
      throw new IchainError("CAMPAIGN_ROWS_MISSING", `The job cannot make a version: ${why}.`);
    }
    return { rows, without: left };
  }
}

function listed(missing: readonly { readonly entry: number }[]): string {
  return missing.map(({ entry }) => entry).join(", ");
}

function rowsMissing(missing: AcceptedRows["missing"]): IchainError {
  const [first] = missing;
  return new IchainError(
    "CAMPAIGN_ROWS_MISSING",
    `The rows of ${missing.length === 1 ? "entry" : "entries"} ${listed(missing)} cannot be had: ${first!.error.message}`,
    { cause: first!.error, details: { entries: missing.map(({ entry }) => entry) } },
  );
}

/**
 * Posts the job by `post` and remembers what it is trained on; undefined where nothing was posted.
 * @param laid What {@link layTraining} wrote.
 */
export async function postTraining<Posted extends { readonly id: JobId }>(
  { journal }: Pick<RoleContext, "journal">,
  campaign: Hex,
  laid: Omit<Training, "job">,
  post: () => Promise<Posted | undefined>,
): Promise<Posted | undefined> {
  const begun = journal.undertakings({ role: "campaign" }).filter(({ key }) => isTraining(key, campaign));
  const record = journal.open("campaign", `${campaign}/train/${begun.length}`);
  let posted: Posted | undefined;
  try {
    posted = await post();
    const job = posted?.id;
    if (job !== undefined)
      await record.step<Training, null>("posted", { prepare: () => ({ ...laid, job }), act: () => null });
    return posted;
  } finally {
    record.finish(posted === undefined ? "failed" : "done");
  }
}

/** What this home had trained on a campaign's rows, in the order in which it was posted. */
export function trainingsOf(journal: Journal, campaign: Hex): Training[] {
  return (
    journal
      .undertakings({ role: "campaign" })
      .filter(({ key }) => isTraining(key, campaign))
      .toSorted((a, b) => numberOf(a.key) - numberOf(b.key))
      .flatMap(({ key }) => journal.open("campaign", key).intent<Training>("posted") ?? [])
      // Those of before versions were published name no entries that are left out: they had all.
      .map((training) => ({ ...training, without: training.without ?? [] }))
  );
}

/** Campaigns on whose rows this home had models trained. */
export function campaignsTrained(journal: Journal): Hex[] {
  const keys = journal.undertakings({ role: "campaign" }).map(({ key }) => key.split("/"));
  return [...new Set(keys.flatMap(([campaign, act]) => (act === "train" ? [campaign as Hex] : [])))];
}

/** The versions that were published, and what this home had trained beside them: with the job in whose place it is now. */
export async function readVersions(
  { market, journal }: { readonly market: Pick<MarketReader, "job">; readonly journal: Journal | undefined },
  { id, publications }: Pick<Campaign, "id" | "publications">,
  options: Abortable,
): Promise<Version[]> {
  const published = publications.map(async (publication) => ({
    publication,
    job: await jobOf({ market }, publication.job, options),
  }));
  const trained = (journal === undefined ? [] : trainingsOf(journal, id)).map(async (training) => ({
    training,
    job: await market.job(lastOf(journal!, training.job), options),
  }));
  return versionsOf(await Promise.all(published), await Promise.all(trained));
}

/** The job, or the last of those that were posted in its place. */
export function lastOf(journal: Journal, job: JobId): JobId {
  const { next } = linksOf(journal, job);
  return next === undefined ? job : lastOf(journal, next);
}

function isTraining(key: string, campaign: Hex): boolean {
  return key.startsWith(`${campaign}/train/`);
}

function numberOf(key: string): number {
  return Number(key.split("/").at(-1));
}

function unfit(why: string): IchainError {
  return new IchainError("CAMPAIGN_JOB_UNFIT", `The job cannot make a version of the campaign: ${why}.`);
}
