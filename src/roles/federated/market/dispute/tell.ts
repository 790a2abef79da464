import type { JobJournal } from "../../../../ports/journal.ts";
import { disputeNewsOf } from "../../../../protocol/federated/market/dispute/news.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import { shortId } from "../../../../protocol/ids.ts";
import type { RoleContext } from "../../../context.ts";
import { noteAndReport } from "../../../shared/note.ts";

/** Tells a party of a job, and its owner where a daemon acts for it, of strikes and disputes: of each once. */
export async function tellDisputes(
  context: Pick<RoleContext, "reporter" | "notifier">,
  journal: JobJournal,
  job: FederatedJob,
): Promise<void> {
  for (const { key, text } of disputeNewsOf(job)) {
    if (journal.outcome(`told-${key}`) !== undefined) continue;
    noteAndReport(context, journal, text, "warn");
    context.notifier?.tell({ event: "disputed", job: job.id, text: `Job ${shortId(job.id)}: ${text}` });
    await journal.step(`told-${key}`, { prepare: () => null, act: () => true });
  }
}
