import { access } from "node:fs/promises";
import { IchainError } from "../../errors.ts";
import { type JobId, shortId } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job.ts";
import type { RoleContext, Waits } from "../context.ts";
import { collect } from "./collect.ts";
import { draftOf } from "./draft.ts";
import { openResult } from "./open-result.ts";
import { unknownDraft } from "./unknown-draft.ts";

export interface Retrieved {
  readonly job: Job;
  readonly folder: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

/** Opens a paid result into `folder`, which must not exist; fetches the ciphertext first if need be. */
export async function retrieve(
  context: RoleContext,
  jobId: JobId,
  folder: string,
  waits: Waits,
): Promise<Retrieved> {
  const journal = context.journal.open("requester", jobId);
  const draft = draftOf(journal);
  if (!draft) throw unknownDraft(jobId);
  const job = await context.market.job(jobId, waits);
  if (!job.blindedKey) throw notReady(job);
  if (await exists(folder)) throw targetExists(folder);
  const collected = await collect(context, journal, job, draft.spec.resources, waits);
  const { files, bytes } = await openResult(context, journal, { job, draft, collected, into: folder }, waits);
  return { job, folder, files, bytes };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function notReady({ id, state }: Job): IchainError {
  const over = state === "Refunded" || state === "Cancelled";
  return new IchainError(`Job ${shortId(id)} has no result to open: it is ${state}.`, {
    code: over ? "NO_RESULT" : "RESULT_NOT_READY",
    class: over ? "failed" : "refused",
    hint: over
      ? `"ichain why ${shortId(id)}" tells what happened; your money is back.`
      : `"ichain resume ${shortId(id)}" carries it on; "ichain why ${shortId(id)}" tells whose turn it is.`,
    retryable: !over,
  });
}

/** Nothing is ever unpacked over something that is there already. */
function targetExists(path: string): IchainError {
  return new IchainError(`The folder ${path} exists already.`, {
    code: "TARGET_EXISTS",
    class: "usage",
    hint: "Name a folder that does not exist yet with -o, or remove this one.",
  });
}
