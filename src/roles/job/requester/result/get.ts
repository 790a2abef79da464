import { constants } from "node:fs";
import { access, copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import { IchainError } from "../../../../errors/error.ts";
import { type JobId, shortId } from "../../../../protocol/ids.ts";
import type { Job } from "../../../../protocol/job/job.ts";
import type { RoleContext } from "../../../context.ts";
import { collect } from "../collect.ts";
import { draftOf } from "../posting/draft.ts";
import { unknownDraft } from "../posting/unknown-draft.ts";
import { gotOf, recordGot, resultRemoved } from "./got.ts";
import { openResult, resultKey } from "./open-result.ts";

/** OpenPGP's number for AES-256. */
const GPG_AES256 = 9;

export interface GotResult {
  readonly job: Job;
  readonly folder: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

/** Opens a paid result into `folder`, which must not exist; fetches the ciphertext first if need be. */
export async function getResult(
  context: RoleContext,
  jobId: JobId,
  folder: string,
  options: Abortable,
): Promise<GotResult> {
  const paid = await collectPaid(context, jobId, folder, options);
  const { files, bytes } = await openResult(context, paid.journal, { ...paid, into: folder }, options);
  await recordGot(paid.journal, folder);
  return { job: paid.job, folder, files, bytes };
}

/**
 * Leaves a paid result as it came, `result.parcel`, beside the key that opens it, `key.txt` (mode 0600, as
 * `gpg --override-session-key-fd` reads it): docs/protocol.md has the commands.
 */
export async function getParcel(
  context: RoleContext,
  jobId: JobId,
  folder: string,
  options: Abortable,
): Promise<GotResult> {
  const { journal, job, draft, collected } = await collectPaid(context, jobId, folder, options);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await copyFile(collected.result.path, join(folder, "result.parcel"), constants.COPYFILE_FICLONE);
  await writeFile(join(folder, "key.txt"), `${GPG_AES256}:${resultKey(job, draft.mask).slice(2)}\n`, {
    mode: 0o600,
  });
  await recordGot(journal, folder);
  return { job, folder, files: ["result.parcel", "key.txt"], bytes: collected.result.size };
}

async function collectPaid(context: RoleContext, jobId: JobId, folder: string, options: Abortable) {
  const journal = context.journal.open("requester", jobId);
  const draft = draftOf(journal);
  if (!draft) throw unknownDraft(jobId);
  const job = await context.market.job(jobId, options);
  if (!job.blindedKey) throw notReady(job);
  if (await exists(folder)) throw targetExists(folder);
  const collected = await collect(context, journal, job, draft.spec.resources, options);
  if (!(await exists(collected.result.path))) throw resultRemoved(jobId, gotOf(journal));
  return { journal, draft, job, collected };
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
