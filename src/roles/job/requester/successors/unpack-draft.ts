import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import { isIchainError } from "../../../../errors/error.ts";
import type { JobId } from "../../../../protocol/ids.ts";
import { MAX_FILES, MAX_PARCEL_BYTES } from "../../../../protocol/limits.ts";
import { CHECKPOINT_FOLDER } from "../../../../protocol/task/checkpoint.ts";
import type { JobFile } from "../../../../protocol/task/spec.ts";
import type { RoleContext } from "../../../context.ts";
import { unpackKept } from "../../../task/kept/kept-inputs.ts";
import type { Draft } from "../posting/draft.ts";
import { keptCheckpoint, openCheckpoint } from "../result/keep-checkpoints.ts";

/** Folders that a job is packed from again. */
interface Unpacked {
  readonly folder: string;
  readonly examFolder: string;
}

/**
 * Runs `use` with folders of what the draft's bundle and exam were packed from; they are gone afterwards. The job's own
 * folder may have changed since it was posted, or be gone.
 */
export async function unpackDraft<T>(
  { parcels, jobsDir }: Pick<RoleContext, "parcels" | "jobsDir">,
  { bundle, bundleKey, kept = [], exam }: Draft,
  options: Abortable,
  use: (folders: Unpacked) => Promise<T>,
): Promise<T> {
  const dir = await mkdtemp(join(jobsDir, ".again-"));
  const limits = { maxBytes: MAX_PARCEL_BYTES, maxFiles: MAX_FILES };
  const [folder, examFolder] = [join(dir, "bundle"), join(dir, "exam")];
  try {
    await parcels.open({ blob: bundle, sessionKey: bundleKey, into: folder, limits }, options);
    for (const one of kept) await unpackKept(parcels, one, { input: folder }, options);
    if (exam)
      await parcels.open({ blob: exam.blob, sessionKey: exam.key, into: examFolder, limits }, options);
    return await use({ folder, examFolder });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The job file with the checkpoint among its inputs, where `folder` has one to go on from. */
export function withCheckpoint(file: JobFile, folder: string): JobFile {
  if (!existsSync(join(folder, CHECKPOINT_FOLDER)) || file.inputs.includes(CHECKPOINT_FOLDER)) return file;
  return { ...file, inputs: [...file.inputs, CHECKPOINT_FOLDER] };
}

/**
 * Adds the newest checkpoint of a job that is held here to `folder`, in place of the one that its bundle had; resolves
 * with its number, or with undefined where there is none that opens.
 */
export async function addCheckpoint(
  context: Pick<RoleContext, "parcels" | "keyring" | "jobsDir">,
  { jobId, draft, folder }: { jobId: JobId; draft: Draft; folder: string },
  options: Abortable,
): Promise<number | undefined> {
  const kept = await keptCheckpoint(context.jobsDir, jobId);
  if (kept === undefined) return undefined;
  const { number, blob } = kept;
  const opened = `${folder}.${CHECKPOINT_FOLDER}`;
  try {
    await openCheckpoint(context, { jobId, draft, number, blob, into: opened }, options);
  } catch (error) {
    // The disk has damaged it since it was kept: the job begins where its bundle does.
    if (isIchainError(error, "CHECKPOINT_UNTRUSTED")) return undefined;
    throw error;
  }
  const all = join(folder, CHECKPOINT_FOLDER);
  await rm(all, { recursive: true, force: true });
  await mkdir(all);
  await rename(opened, join(all, String(number)));
  return number;
}
