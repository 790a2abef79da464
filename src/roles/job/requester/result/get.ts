import { constants } from "node:fs";
import { access, copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import { IchainError } from "../../../../errors/error.ts";
import { type Hex, type JobId, shortId } from "../../../../protocol/ids.ts";
import type { Job } from "../../../../protocol/job/job.ts";
import type { RoleContext } from "../../../context.ts";
import { collect } from "../collect.ts";
import { openDraft } from "../posting/draft.ts";
import { openResult, resultKey } from "./open-result.ts";
import { recordRetrieval, resultRemoved, retrievalOf } from "./retrieval.ts";

/** AES-256 in OpenPGP (RFC 9580, section 9.3). */
const GPG_AES256 = 9;

export interface RetrievedResult {
  readonly job: Job;
  readonly folder: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

/**
 * Opens a paid result into `folder`, which must not exist; fetches the ciphertext first where it is missing.
 * @throws JOB_NOT_OURS
 * @throws RESULT_NOT_READY
 * @throws NO_RESULT the job ended without one
 * @throws RESULT_REMOVED
 * @throws TARGET_EXISTS
 */
export async function getResult(
  context: RoleContext,
  jobId: JobId,
  folder: string,
  options: Abortable,
): Promise<RetrievedResult> {
  const paid = await collectPaid(context, jobId, folder, options);
  const { files, bytes } = await openResult(context, paid.journal, { ...paid, into: folder }, options);
  await recordRetrieval(paid.journal, folder);
  return { job: paid.job, folder, files, bytes };
}

/**
 * Writes a paid result still encrypted, as `result.parcel`, with the key that opens it, `key.txt` (mode 0600, in the
 * form that `gpg --override-session-key-fd` reads); docs/protocol.md has the commands.
 * @throws the codes of `getResult`
 */
export async function getParcel(
  context: RoleContext,
  jobId: JobId,
  folder: string,
  options: Abortable,
): Promise<RetrievedResult> {
  const { journal, job, draft, collected } = await collectPaid(context, jobId, folder, options);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await copyFile(collected.result.path, join(folder, "result.parcel"), constants.COPYFILE_FICLONE);
  await writeFile(join(folder, "key.txt"), `${GPG_AES256}:${resultKey(job, draft.mask).slice(2)}\n`, {
    mode: 0o600,
  });
  await recordRetrieval(journal, folder);
  return { job, folder, files: ["result.parcel", "key.txt"], bytes: collected.result.size };
}

async function collectPaid(context: RoleContext, jobId: JobId, folder: string, options: Abortable) {
  const paid = await openPaid(context, jobId, options);
  if (await exists(folder)) throw targetExists(folder);
  return await collectOpened(context, paid, options);
}

/**
 * The encrypted result of a paid job, fetched first where it is missing, and the key that opens it.
 * @throws JOB_NOT_OURS, RESULT_NOT_READY, NO_RESULT, RESULT_REMOVED
 */
export async function paidResult(
  context: RoleContext,
  jobId: JobId,
  options: Abortable,
): Promise<{ readonly job: Job; readonly parcel: string; readonly key: Hex }> {
  const paid = await openPaid(context, jobId, options);
  const { job, draft, collected } = await collectOpened(context, paid, options);
  return { job, parcel: collected.result.path, key: resultKey(job, draft.mask) };
}

async function openPaid(context: RoleContext, jobId: JobId, options: Abortable) {
  const { journal, draft } = openDraft(context.journal, jobId);
  const job = await context.market.job(jobId, options);
  if (!job.blindedKey) throw notReady(job);
  return { journal, draft, job };
}

async function collectOpened(
  context: RoleContext,
  { journal, draft, job }: Awaited<ReturnType<typeof openPaid>>,
  options: Abortable,
) {
  const collected = await collect(context, journal, job, draft.spec.resources, options);
  if (!(await exists(collected.result.path))) throw resultRemoved(job.id, retrievalOf(journal));
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
  return new IchainError(
    over ? "NO_RESULT" : "RESULT_NOT_READY",
    `Job ${shortId(id)} has no result to open: it is ${state}.`,
    {
      hint: over
        ? `"ichain why ${shortId(id)}" tells what happened; your money is back.`
        : `"ichain resume ${shortId(id)}" continues it; "ichain why ${shortId(id)}" tells whose turn it is.`,
    },
  );
}

function targetExists(path: string): IchainError {
  return new IchainError("TARGET_EXISTS", `The folder ${path} exists already.`);
}
