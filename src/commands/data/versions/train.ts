import { dirname, resolve } from "node:path";
import { shortId } from "../../../protocol/ids.ts";
import { checkTraining, layTraining, postTraining } from "../../../roles/campaign/versions/train.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { placeJob, refuseContradictions, type SubmitOptions } from "../../job/place-job.ts";
import { loadJobFile, surroundingsOf, type VariableOptions } from "../../steps/job-file.ts";
import { actIn } from "../act.ts";

/** Posts a job that trains on a campaign's accepted rows and is examined on its hidden test set. */
export async function run(
  context: CommandContext,
  { id, job: path }: { id: string; job: string },
  options: SubmitOptions &
    VariableOptions & { without?: readonly number[]; available?: true; waitRows?: number },
): Promise<void> {
  const { ui, signal, config } = context;
  await refuseContradictions(context, options);
  await actIn(context, id, async ({ role, campaign }) => {
    const { without = [], available = false, waitRows: wait = 0 } = options;
    const request = { folder: dirname(resolve(path)), scope: { without, available, wait } };
    const laid = await layTraining(role, campaign, request, { signal });
    const loaded = await loadJobFile(path, { ...options, ...surroundingsOf(config) });
    checkTraining(loaded.file);
    const job = await postTraining(role, campaign.id, laid, () => placeJob(context, role, loaded, options));
    if (job === undefined) return;
    const { rows, block, without: left } = laid;
    ui.print(
      { campaignId: campaign.id, jobId: job.id, state: job.state, rows, without: left, block },
      () =>
        `Job ${shortId(job.id)} is ${job.state}: it trains on ${rows} rows, as they were at block ${block}${left.length > 0 ? `, without entry ${left.join(", ")}` : ""}. ` +
        `"ichain serve" acts for it and publishes it as the next version, so does "ichain resume"; "ichain data versions ${shortId(campaign.id)}" lists all.`,
    );
  });
}
