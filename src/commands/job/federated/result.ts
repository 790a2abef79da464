import { existsSync } from "node:fs";
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

/**
 * Copies model and ledger of a job that this home led to `out`; resolves with the folder that has them.
 * @throws RESULT_NOT_READY while the process that leads the job has not written them
 */
export async function putResult(
  { jobsDir }: Pick<RoleContext, "jobsDir">,
  job: FederatedJob,
  out: string | undefined,
): Promise<string> {
  const { result, ledger } = leadFiles(jobFolder(jobsDir, "federated-requester", job.id).dir);
  // There is none of a job without a round, as its end is told.
  if (job.closings.length === 0) return out ?? result;
  if (!existsSync(ledger)) throw notWritten(job);
  if (out === undefined) return result;
  await mkdir(out, { recursive: true });
  await cp(result, out, { recursive: true });
  return out;
}

function notWritten({ id }: FederatedJob): IchainError {
  return new IchainError(
    "RESULT_NOT_READY",
    `Job ${shortId(id)} is over, and its last model and ledger are not here yet.`,
    { hint: `A running "ichain serve" is just writing them; otherwise "ichain resume ${shortId(id)}" does.` },
  );
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
