import { rm } from "node:fs/promises";
import { join } from "node:path";
import { keccak256 } from "ethers";
import type { Abortable } from "../../../async/abort.ts";
import { retryUnavailable } from "../../../async/retry.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Blob } from "../../../ports/transport.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { type Job, seatOf } from "../../../protocol/job/job.ts";
import { MAX_FILES } from "../../../protocol/limits.ts";
import { decodeLocator, type ExamPlace, type ValidationLocator } from "../../../protocol/parcel/locator.ts";
import { EXAM_FOLDER, type Spec } from "../../../protocol/task/spec.ts";
import type { WorkerContext } from "../../context.ts";
import { chainDeadline } from "../../shared/chain-deadline.ts";
import { jobFolder } from "../../shared/job-folder.ts";
import { fetchBlob } from "../../task/fetch-blob.ts";
import { SILENT_MS } from "./open-delivered.ts";

/** An exam as its requester serves it; whether it is the one that the spec names is not checked yet. */
export interface Exam {
  readonly blob: Blob;
  readonly key: Hex;
}

/**
 * Fetches the exam of a job, in half of the time that is left to commit: the rest is for measuring. Resolves with null
 * where the requester does not serve it by then. Decided once.
 */
export async function fetchExam(
  context: WorkerContext,
  journal: JobJournal,
  { job, locator, maxBytes }: { job: Job; locator: ValidationLocator; maxBytes: number },
  options: Abortable,
): Promise<Exam | null> {
  const { market } = context;
  const by = await journal.step("exam-by", {
    prepare: async () => {
      const now = await market.now(options);
      return now + Math.max(0, (job.deadline ?? now) - now) / 2;
    },
    act: (instant) => instant,
  });
  using clock = chainDeadline(by, market, options.signal);
  const fetching = async (): Promise<Exam | null> => {
    // A drawn validator has its validation locator from the provider, which must not say where the exam is.
    const drawn = seatOf(job, context.account)?.drawn;
    const place = drawn ? await placeOf(context, job, clock) : locator.exam;
    if (place === undefined) return null;
    const path = jobFolder(context.jobsDir, "validator", job.id).exam;
    const { endpoint, root, key } = place;
    const request = { endpoint, root, path, maxBytes };
    const blob = await retryUnavailable(() => fetchBlob(context, "exam", request, clock), clock, SILENT_MS);
    return { blob, key };
  };
  return await journal.step("exam", {
    prepare: () => job.id,
    act: () =>
      fetching().catch((error: unknown) => {
        options.signal.throwIfAborted();
        // Whatever its requester serves instead: the job is judged as if it served nothing.
        if (clock.expired || (isIchainError(error) && error.class !== "internal")) return null;
        throw error;
      }),
  });
}

/** Where the requester put the exam for a validator that was drawn. */
async function placeOf(context: WorkerContext, job: Job, options: Abortable): Promise<ExamPlace> {
  for await (const now of context.market.follow(job.id, options)) {
    const sealed = seatOf(now, context.account)?.sealedExam;
    if (sealed !== undefined) return decodeLocator(await context.keyring.unseal(sealed), "exam");
  }
  return options.signal.throwIfAborted() as never;
}

/** Unpacks the exam beside the inputs; resolves with false where it is not the one that the spec names. */
export async function openExam(
  { parcels }: WorkerContext,
  { exam, spec, input, maxBytes }: { exam: Exam | null; spec: Spec; input: string; maxBytes: number },
  options: Abortable,
): Promise<boolean> {
  const { root, keyHash } = spec.exam ?? {};
  if (exam === null || exam.blob.root !== root || keccak256(exam.key) !== keyHash) return false;
  const into = join(input, EXAM_FOLDER);
  await rm(into, { recursive: true, force: true });
  try {
    const limits = { maxBytes, maxFiles: MAX_FILES };
    await parcels.open({ blob: exam.blob, sessionKey: exam.key, into, limits }, options);
    return true;
  } catch (error) {
    if (isIchainError(error) && error.class === "untrusted") return false;
    throw error;
  }
}
