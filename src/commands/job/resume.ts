import { IchainError } from "../../errors/error.ts";
import { type JobId, shortId } from "../../protocol/ids.ts";
import { advance } from "../../roles/job/requester/advance.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withRole } from "../steps/role.ts";

/** Carries on what was begun: one job, or every unfinished one of this account as requester. */
export async function run(context: CommandContext, args: { id?: string }): Promise<void> {
  const { ui, signal } = context;
  await withRole(context, async (role) => {
    const unfinished = role.journal.undertakings({ role: "requester", unfinished: true });
    const ids = unfinished.map(({ key }) => key as JobId).filter((id) => matches(id, args.id));
    if (args.id !== undefined && ids.length !== 1) throw notOne(args.id, ids.length);
    const onState = (jobId: JobId) => (job: { state: string }) =>
      ui.reporter.emit({ kind: "info", text: `Job ${shortId(jobId)} is ${job.state}` });
    // One that fails, or for which `ichain serve` acts already, must not stop the others.
    const ends = await Promise.allSettled(
      ids.map((id) => advance(role, id, { onState: onState(id) }, { signal })),
    );
    const failed = ends.find((end) => end.status === "rejected");
    if (failed) throw failed.reason;
    const jobs = ends.flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
    ui.print({ jobs: jobs.map(({ id, state, verdict }) => ({ jobId: id, state, verdict })) }, () =>
      jobs.length === 0
        ? "No job is unfinished."
        : jobs.map(({ id, state }) => `Job ${shortId(id)} is ${state}.`).join("\n"),
    );
  });
}

function matches(id: JobId, prefix: string | undefined): boolean {
  return prefix === undefined || id.slice(2).startsWith(prefix.replace(/^0x/, ""));
}

function notOne(prefix: string, found: number): IchainError {
  return new IchainError(
    found === 0 ? "JOB_UNKNOWN" : "JOB_AMBIGUOUS",
    `${found === 0 ? "No unfinished job" : `${found} unfinished jobs`} of this home starts with ${prefix}.`,
    { hint: '"ichain jobs" lists them.' },
  );
}
