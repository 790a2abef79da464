import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { IchainError } from "../../../errors/error.ts";
import { MODEL_FILE } from "../../../protocol/federated/market/spec.ts";
import { writeModel } from "../../../protocol/federated/model-file.ts";
import { type JobId, shortId } from "../../../protocol/ids.ts";
import type { RoleContext } from "../../../roles/context.ts";
import { readVector } from "../../../roles/federated/aggregation/vector-file.ts";
import { federatedDraftOf } from "../../../roles/federated/market/requester/draft.ts";
import { leadFiles } from "../../../roles/federated/market/requester/files.ts";
import { jobFolder } from "../../../roles/shared/job-folder.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { printEnd, putResult } from "./result.ts";

/** Copies the model of a federated job that this home leads, the last or that of a round, and its ledger once it is over. */
export async function getFederated(
  { ui, signal }: CommandContext,
  role: RoleContext,
  { id, out, round }: { readonly id: JobId; readonly out: string; readonly round: number | undefined },
): Promise<void> {
  const job = await role.market.federatedJob(id, { signal });
  const draft = federatedDraftOf(role.journal.open("federated-requester", id));
  if (draft === undefined)
    throw new IchainError("JOB_NOT_OURS", `This home does not lead job ${shortId(id)}.`);
  if (existsSync(out))
    throw new IchainError("USAGE", `${out} exists already.`, {
      hint: "Name a folder that does not, with -o.",
    });
  if (round === undefined && job.state === "Ended")
    return printEnd(ui, role.journal, { job, folder: await putResult(role, job, out) });
  const wanted = round ?? job.closings.length;
  if (wanted < 1 || wanted > job.closings.length)
    throw new IchainError("USAGE", `Round ${wanted} is not closed: ${job.closings.length} are.`, {
      hint: `"ichain watch ${shortId(id)}" follows the rounds.`,
    });
  const files = leadFiles(jobFolder(role.jobsDir, "federated-requester", id).dir);
  if (!existsSync(files.model(wanted + 1)))
    throw new IchainError("FEDERATED_MODEL_GONE", `The model of round ${wanted} is no longer here.`);
  const vector = readVector(files.model(wanted + 1), draft.spec.federated.parameters);
  await mkdir(out, { recursive: true });
  const path = join(out, MODEL_FILE);
  await writeFile(path, writeModel({ layout: draft.layout, vector }));
  const model = job.closings[wanted - 1]!.closing.modelDigest;
  ui.print(
    { jobId: id, round: wanted, model, folder: out },
    () => `The model of round ${wanted} is in ${path}.`,
  );
}
