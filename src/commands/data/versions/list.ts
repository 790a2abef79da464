import type { Version, VersionCheck } from "../../../protocol/campaign/versions.ts";
import { shortId } from "../../../protocol/ids.ts";
import { checkVersion } from "../../../roles/campaign/versions/check.ts";
import { readVersions } from "../../../roles/campaign/versions/train.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { fixed } from "../../steps/view.ts";
import { actIn } from "../act.ts";

/** A version as `--json` has it. */
export function versionData({ job, score, ...version }: Version) {
  return { jobId: job, ...version, score: score === undefined ? undefined : fixed(score) };
}

/**
 * Lists the versions that a campaign's owner published, each compared with the chain and the rows, then the models that
 * this home had trained and that are not published.
 */
export async function run(context: CommandContext, { id }: { id: string }): Promise<void> {
  const { ui, signal } = context;
  await actIn(context, id, async ({ role, campaign }) => {
    const versions = await readVersions(role, campaign, { signal });
    const checks = new Map<number, readonly VersionCheck[]>();
    for (const publication of campaign.publications)
      checks.set(publication.number, await checkVersion(role, campaign, publication, { signal }));
    const listed = versions.map((version) => ({
      ...versionData(version),
      checks: version.version === undefined ? undefined : checks.get(version.version),
    }));
    ui.print({ campaignId: campaign.id, versions: listed }, () =>
      listed.length === 0
        ? `Campaign ${shortId(campaign.id)} has no version: "ichain data train ${shortId(campaign.id)} job.yaml" posts a job for one, as its owner.`
        : ui.table(
            ["version", "job", "state", "score", "rows", "without", "block", "provider", "checked"],
            listed.map(({ version, jobId, state, score, rows, without, block, provider, checks: found }) => [
              ...[String(version ?? ""), shortId(jobId), state ?? "unknown", score ?? "", String(rows)],
              ...[without?.join(", ") ?? "?", String(block), provider ?? "", checkedText(found)],
            ]),
          ),
    );
  });
}

function checkedText(checks: readonly VersionCheck[] | undefined): string {
  if (checks === undefined) return "not published";
  const failed = checks.filter(({ result }) => result !== "right");
  return failed.length === 0
    ? "right"
    : failed.map(({ what, result, why }) => `${what} ${result}: ${why}`).join("; ");
}
