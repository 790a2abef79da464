import { resolve } from "node:path";
import { IchainError } from "../../../errors/error.ts";
import type { Campaign } from "../../../protocol/campaign/campaign.ts";
import { shortId } from "../../../protocol/ids.ts";
import { checkVersion } from "../../../roles/campaign/versions/check.ts";
import { fetchModel } from "../../../roles/campaign/versions/fetch.ts";
import type { RoleContext } from "../../../roles/context.ts";
import { resultContents } from "../../../roles/job/requester/result/contents.ts";
import { bytes } from "../../../ui/format.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { contentsText } from "../../steps/contents.ts";

/** Of a model's files together, unless --most says otherwise. */
const MOST_BYTES = 1 << 30;

/**
 * Fetches a version's model into a folder, as it was published, and says whether its job's validators measured these
 * very files.
 */
export async function getModel(
  { ui, signal }: CommandContext,
  role: RoleContext,
  campaign: Campaign,
  { model, out, most = MOST_BYTES }: { model: number; out?: string | undefined; most?: number | undefined },
): Promise<void> {
  const publication = campaign.publications[model - 1];
  if (publication === undefined)
    throw new IchainError(
      "CAMPAIGN_NO_VERSION",
      `The campaign has ${campaign.publications.length} versions.`,
    );
  const folder = resolve(out ?? `campaign-${shortId(campaign.id)}-version-${model}`);
  const got = await fetchModel(role, campaign, publication, { folder, most }, { signal });
  const checks = await checkVersion(role, campaign, publication, { signal });
  const contents = await resultContents(folder, got.files, { signal });
  const wrong = checks.filter(({ result }) => result === "wrong");
  for (const { what, why } of wrong)
    ui.reporter.emit({
      kind: "warn",
      text: `What was published of version ${model} is wrong (${what}): ${why}`,
    });
  ui.print({ campaignId: campaign.id, folder, version: model, jobId: publication.job, ...got, checks }, () =>
    [
      `Version ${model}: ${got.files.length} files (${bytes(got.bytes)}) in ${folder}, as they were published${wrong.length > 0 ? "" : " and measured"}.`,
      ...contentsText(contents),
    ].join("\n"),
  );
}
