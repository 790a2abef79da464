import { cp, mkdir } from "node:fs/promises";
import { IchainError } from "../../../errors/error.ts";
import type { Journal } from "../../../ports/journal.ts";
import type { FederatedJob } from "../../../protocol/federated/market/job.ts";
import { shortId } from "../../../protocol/ids.ts";
import type { RoleContext } from "../../../roles/context.ts";
import { leadFiles } from "../../../roles/federated/market/requester/files.ts";
import { lastMeasured } from "../../../roles/federated/market/requester/round/aggregate.ts";
import { jobFolder } from "../../../roles/shared/job-folder.ts";
import type { Ui } from "../../../ui/ui.ts";

/** Copies model and ledger of a job that this home led to `out`; resolves with the folder that has them. */
export async function putResult(
  { jobsDir }: Pick<RoleContext, "jobsDir">,
  job: FederatedJob,
  out: string | undefined,
): Promise<string> {
  const { result } = leadFiles(jobFolder(jobsDir, "federated-requester", job.id).dir);
  if (out === undefined) return result;
  await mkdir(out, { recursive: true });
  await cp(result, out, { recursive: true });
  return out;
}

/**
 * Says how a federated job ended.
 * @throws JOB_NOT_SETTLED when no round was closed
 */
export function printEnd(
  ui: Ui,
  journal: Journal,
  { job, folder }: { readonly job: FederatedJob; readonly folder: string },
): void {
  const measured = lastMeasured(journal.open("federated-requester", job.id));
  const { id, terms, closings, cause } = job;
  if (closings.length === 0)
    throw new IchainError("JOB_NOT_SETTLED", `The job ended (${cause}) without a round.`, {
      hint:
        cause === "cheated"
          ? "Its price is back; who cheated is banned, and a new job can begin."
          : "Its price is back; try more time to enlist (federated.windows.enlist), or a smaller federated.least.",
      details: { jobId: id, cause },
    });
  ui.print(
    {
      jobId: id,
      state: job.state,
      ...(measured && { measured }),
      cause,
      rounds: closings.length,
      tip: closings.at(-1)!.closing.ledgerTip,
      folder,
    },
    () =>
      [
        `Job ${shortId(id)} ended (${cause}) after ${closings.length} of ${terms.rounds} rounds${measured ? `, at accuracy ${measured.acc.toFixed(3)}` : ""}. Model and ledger are in ${folder}.`,
        `What is left of the price can be taken after ${new Date(job.deadline * 1000).toISOString()}: "ichain resume ${shortId(id)}".`,
      ].join("\n"),
  );
}
