import type { Version } from "../../../protocol/campaign/versions.ts";
import { shortId } from "../../../protocol/ids.ts";
import { readVersions } from "../../../roles/campaign/versions/train.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { fixed } from "../../steps/view.ts";
import { actIn } from "../act.ts";

/** A version as `--json` has it. */
export function versionData({ job, score, ...version }: Version) {
  return { jobId: job, ...version, score: score === undefined ? undefined : fixed(score) };
}

/** Lists the models that were trained on a campaign's rows, each with its score, its provider and what it is from. */
export async function run(context: CommandContext, { id }: { id: string }): Promise<void> {
  const { ui, signal } = context;
  await actIn(context, id, async ({ role, campaign }) => {
    const versions = await readVersions(role, campaign.id, { signal });
    const listed = versions.map(versionData);
    ui.print({ campaignId: campaign.id, versions: listed }, () =>
      listed.length === 0
        ? `No model was trained from this home: "ichain data train ${shortId(campaign.id)} job.yaml".`
        : ui.table(
            ["version", "job", "state", "score", "rows", "block", "provider"],
            listed.map(({ version, jobId, state, score, rows, block, provider }) => [
              ...[String(version ?? ""), shortId(jobId), state, score ?? ""],
              ...[String(rows), String(block), provider],
            ]),
          ),
    );
  });
}
