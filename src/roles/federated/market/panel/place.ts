import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import type { FederatedSpec } from "../../../../protocol/federated/market/spec.ts";
import type { WorkerContext } from "../../../context.ts";
import type { FileAggregation } from "../../aggregation/aggregate-files.ts";
import { writeVector } from "../../aggregation/vector-file.ts";
import { enlistedIn, openPlace } from "../requester/course.ts";
import { emptyRoundFiles, type LeadFiles } from "../requester/files.ts";
import type { RoundPlace } from "../requester/round/aggregate.ts";
import type { Case } from "./open-case.ts";

/** Where a validator of a panel works on a job's disputes. */
export interface CaseFiles {
  readonly files: LeadFiles;
  readonly aggregation: FileAggregation;
  /** Waits until the machine has this much free; once for a dispute. */
  readonly hold: (share: FederatedSpec["resources"]) => Promise<void>;
}

/** Prepares the task of a disputed round as a seat of the job would, with the model that it began with. */
export async function openCasePlace(
  context: WorkerContext,
  journal: JobJournal,
  { files, aggregation, hold }: CaseFiles,
  {
    job,
    round,
    opened: { basis, model, bundle },
  }: { readonly job: FederatedJob; readonly round: number; readonly opened: Case },
  options: Abortable,
): Promise<RoundPlace> {
  await hold(basis.spec.resources);
  await emptyRoundFiles(files);
  writeVector(files.model(round), model.vector);
  const opening = { draft: basis, files, aggregation, bundle: bundle.blob, bundleKey: bundle.key };
  return await openPlace(context, journal, { ...opening, members: enlistedIn(job) }, options);
}
