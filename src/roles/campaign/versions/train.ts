import { join } from "node:path";
import { keccak256 } from "ethers";
import type { Abortable } from "../../../async/abort.ts";
import { IchainError } from "../../../errors/error.ts";
import type { Journal } from "../../../ports/journal.ts";
import type { MarketReader } from "../../../ports/market.ts";
import type { Campaign } from "../../../protocol/campaign/campaign.ts";
import { encodeRows } from "../../../protocol/campaign/rows.ts";
import { type Training, type Version, versionsOf } from "../../../protocol/campaign/versions.ts";
import type { Hex, JobId } from "../../../protocol/ids.ts";
import type { JobFile } from "../../../protocol/task/spec.ts";
import type { RoleContext } from "../../context.ts";
import { keepFile } from "../market/files.ts";
import { hiddenSlices } from "../market/reveal.ts";
import { currentRows, keptKey, rowsOf } from "../market/rows.ts";

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

/**
 * Writes the rows that can no longer be fixed, and the hidden test set, into a job's folder.
 * @throws CAMPAIGN_HIDDEN_LOST, CAMPAIGN_NO_ROW where none is accepted yet, and as `rowsOf` where an entry cannot be had
 */
export async function layTraining(
  context: RoleContext,
  campaign: Campaign,
  folder: string,
  options: Abortable,
): Promise<Omit<Training, "job">> {
  const slices = await hiddenSlices(context, campaign);
  const block = await context.market.blockNumber(options);
  const accepted: { entry: number; text: string }[] = [];
  for (const [entry] of campaign.rules.entries.entries()) {
    const added = await rowsOf(context, campaign, entry, options);
    const rows = currentRows(campaign, entry, added, await keptKey(context, campaign, entry));
    accepted.push(...rows.filter(({ state }) => state !== "open"));
  }
  if (accepted.length === 0) {
    throw new IchainError("CAMPAIGN_NO_ROW", "No row of the campaign is accepted yet.", {
      hint: 'Rows are accepted once they can no longer be fixed, by "ichain data refund".',
    });
  }
  const bytes = encodeRows(accepted.map(({ text }) => text));
  await keepFile(join(folder, trainingFiles.rows), bytes);
  await keepFile(join(folder, trainingFiles.hidden), encodeRows(slices.flatMap(({ rows }) => rows)));
  return {
    rowsDigest: keccak256(bytes) as Hex,
    rows: accepted.length,
    entries: [...new Set(accepted.map(({ entry }) => entry))],
    block,
  };
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

/** The models that this home had trained on a campaign's rows, in the order of their jobs. */
export async function readVersions(
  { market, journal }: { readonly market: Pick<MarketReader, "job">; readonly journal: Journal },
  campaign: Hex,
  options: Abortable,
): Promise<Version[]> {
  const trained = journal
    .undertakings({ role: "campaign" })
    .filter(({ key }) => isTraining(key, campaign))
    .toSorted((a, b) => numberOf(a.key) - numberOf(b.key))
    .flatMap(({ key }) => journal.open("campaign", key).intent<Training>("posted") ?? []);
  const jobs = await Promise.all(
    trained.map(async (training) => ({ training, job: await market.job(training.job, options) })),
  );
  return versionsOf(jobs);
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
