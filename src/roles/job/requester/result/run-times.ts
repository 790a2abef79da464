import type { Journal } from "../../../../ports/journal.ts";
import type { JobId } from "../../../../protocol/ids.ts";
import type { TimedRun } from "../../../../protocol/machine/benchmark.ts";
import { draftOf } from "../posting/draft.ts";
import { openedReport } from "./open-report.ts";

/**
 * The runs of this home's jobs, by the reports that were opened here. Two jobs have the same task when their specs are
 * the same: what their inputs hold is not compared.
 */
export async function timedRuns(journal: Journal, jobsDir: string): Promise<TimedRun[]> {
  const found = journal.undertakings({ role: "requester" }).map(async ({ key }): Promise<TimedRun[]> => {
    const draft = draftOf(journal.open("requester", key));
    const report = draft?.benchmark && (await openedReport(jobsDir, key as JobId));
    if (draft?.benchmark === undefined || report === undefined || report.failure !== undefined) return [];
    return [
      {
        provider: draft.provider.account,
        task: draft.terms.specHash,
        wallSeconds: report.run.wallSeconds,
        gpus: draft.spec.resources.gpus,
        benchmark: draft.benchmark,
      },
    ];
  });
  return (await Promise.all(found)).flat();
}
