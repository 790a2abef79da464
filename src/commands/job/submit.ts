import { resolve } from "node:path";
import { openRole } from "../../compose.ts";
import { shortId } from "../../protocol/ids.ts";
import { advance } from "../../roles/job/requester/advance.ts";
import { discardDraft } from "../../roles/job/requester/posting/cancel.ts";
import { draftJob } from "../../roles/job/requester/posting/draft-job.ts";
import { audit, findCandidates } from "../../roles/job/requester/posting/plan.ts";
import { coin } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { choosePlan, type PlanChoice } from "../steps/choose.ts";
import { refuseUnaffordable } from "../steps/funds.ts";
import { loadJobFile } from "../steps/job-file.ts";
import { finished, resultFolder } from "../steps/result.ts";

interface Options extends PlanChoice {
  readonly wait?: true;
  readonly out?: string;
  readonly yes?: true;
}

/** Posts a job; with --wait carries it to its opened result. */
export async function run(context: CommandContext, args: { file: string }, options: Options): Promise<void> {
  const { ui, signal, config } = context;
  const { file, folder } = await loadJobFile(args.file);
  await using role = await openRole(context);
  const candidates = await findCandidates(role.market, file, role.account, { signal });
  const plan = await choosePlan(ui, file, candidates, options, (provider) =>
    audit(role, provider, config.audit, { signal }),
  );
  const { price, validatorFee, validators } = plan.outline;
  const total = price + validatorFee * BigInt(validators);
  await refuseUnaffordable(role.market, role.account, total, { signal });
  if (ui.interactive && !options.yes) {
    const question = `Lock ${coin(price)} and ${coin(total - price)} in validators' fees?`;
    if (!(await ui.prompts.confirm(question, true))) return;
  }
  const jobId = await draftJob(role, { file, folder, plan }, { signal });
  const resume = `"ichain resume ${shortId(jobId)}" carries it on.`;
  try {
    const job = await advance(
      role,
      jobId,
      {
        stopAt: options.wait ? [] : ["Accepted", "Submitted", "Validating"],
        onState: ({ state }) => ui.reporter.emit({ kind: "info", text: `Job ${shortId(jobId)} is ${state}` }),
      },
      { signal },
    );
    if (options.wait)
      return await finished(role, ui, job, resolve(options.out ?? resultFolder(jobId)), { signal });
    ui.print({ jobId, state: job.state }, () => `Job ${shortId(jobId)} is ${job.state}. ${resume}`);
  } catch (error) {
    if (!signal.aborted) await discardDraft(role, jobId);
    else ui.reporter.emit({ kind: "warn", text: `Job ${shortId(jobId)} is left as it is: ${resume}` });
    throw error;
  }
}
