import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Abortable } from "../../../async/abort.ts";
import { IchainError } from "../../../errors/error.ts";
import type { Campaign } from "../../../protocol/campaign/campaign.ts";
import { type ExamSlice, examRootOf, type ShownSlice, showSlice } from "../../../protocol/campaign/exam.ts";
import { encodeRows } from "../../../protocol/campaign/rows.ts";
import type { Hex } from "../../../protocol/ids.ts";
import type { RoleContext } from "../../context.ts";
import { transact } from "../../shared/transact.ts";
import { campaignFiles } from "./files.ts";
import { keepServed, type ServedRows } from "./host.ts";
import { undertake } from "./undertake.ts";

const hiddenSchema = z
  .array(z.object({ rows: z.array(z.string()), salt: z.string().regex(/^0x[0-9a-f]{64}$/) }))
  .max(32);

/** What a slice is shown with, as its journal has it. */
export interface Showing extends ServedRows, ShownSlice {
  readonly locator: Hex;
}

/**
 * Shows a slice of the hidden test set, the next one unless `wanted` names it, and has this home serve its rows.
 * @returns its number
 * @throws CAMPAIGN_HIDDEN_LOST where this home does not have the slices
 */
export async function revealSlice(
  context: RoleContext,
  campaign: Campaign,
  wanted: number | undefined,
  options: Abortable,
): Promise<number> {
  const { market, journal } = context;
  const slices = await hiddenSlices(context, campaign);
  const shown = new Set(campaign.slices.map(({ slice }) => slice));
  const next = shown.size === 0 ? campaign.firstSlice : slices.findIndex((_, slice) => !shown.has(slice));
  const slice = wanted ?? next ?? 0;
  if (slices[slice] === undefined) {
    throw new IchainError("CAMPAIGN_WRONG_SLICE", "Every slice of this campaign's test set is shown.");
  }
  await undertake(journal, { campaign: campaign.id, name: `reveal-${slice}` }, async (record) => {
    const drafted = await record.step<null, Showing>("draft", {
      prepare: () => null,
      act: async () => {
        const served = await keepServed(context, campaign.id, encodeRows(slices[slice]!.rows), options);
        return { ...served, ...showSlice(slices, slice) };
      },
    });
    const call = { kind: "revealSlice", campaign, ...drafted } as const;
    return await transact(market, record, call, { ...options, name: "call" });
  });
  return slice;
}

/**
 * The hidden test set of a campaign that this home opened.
 * @throws CAMPAIGN_HIDDEN_LOST
 */
export async function hiddenSlices(
  { jobsDir }: Pick<RoleContext, "jobsDir">,
  { id, terms }: Campaign,
): Promise<readonly ExamSlice[]> {
  const path = campaignFiles(jobsDir, id).hidden;
  try {
    const slices = hiddenSchema.parse(JSON.parse(await readFile(path, "utf8"))) as ExamSlice[];
    if (examRootOf(slices) === terms.examRoot) return slices;
  } catch (cause) {
    throw lost(path, cause);
  }
  throw lost(path);
}

function lost(path: string, cause?: unknown): IchainError {
  return new IchainError("CAMPAIGN_HIDDEN_LOST", `The hidden test set is not, or no longer, in ${path}.`, {
    cause,
  });
}
