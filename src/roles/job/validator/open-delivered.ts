import { rm } from "node:fs/promises";
import type { Abortable } from "../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { FetchRequest } from "../../../ports/transport.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { blindKey, keyCommitment, maskHash } from "../../../protocol/job/exchange.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { secretHash } from "../../../protocol/job/seeds.ts";
import { MAX_FILES, MAX_REPORT_BYTES, parcelBytes } from "../../../protocol/limits.ts";
import type { ValidationLocator } from "../../../protocol/parcel/locator.ts";
import { type Failure, failureIn } from "../../../protocol/task/failure.ts";
import type { WorkerContext } from "../../context.ts";
import { awaitCapsule } from "../../shared/await-capsule.ts";
import { jobFolder } from "../../shared/job-folder.ts";
import { QUIET_MS } from "../../task/await-host.ts";
import { requireRoom } from "../../task/disk-room.ts";
import { fetchBlob } from "../../task/fetch-blob.ts";

/** How long a host may stay silent before the measurement fails; milliseconds. */
export const SILENT_MS = 180_000;

type FetchTarget = Pick<FetchRequest, "root" | "path" | "maxBytes">;

/** The failure of a measurement for which no party is at fault: the validator abstains with this reason. */
export function measureFailed(why: string): IchainError {
  return new IchainError("MEASURE_FAILED", `The job could not be measured: ${why}.`, { details: { why } });
}

/** Waits until the provider's host publishes our capsule, and opens it: the session key of the result. */
export async function deliveredKey(
  context: WorkerContext,
  journal: JobJournal,
  { job: { submission, terms, seedTip }, locator }: { job: Job; locator: ValidationLocator },
  options: Abortable,
): Promise<Hex> {
  if (!submission) throw measureFailed("nothing has been submitted");
  if (secretHash(maskHash(locator.mask), seedTip) !== terms.secretHash)
    throw measureFailed("the mask is not the one in the terms");
  return journal.step("capsule", {
    prepare: () => submission.resultRoot,
    act: (root) => awaitCapsule(context, locator.result, root, options),
  });
}

/** What a provider delivered: a result, or in its place the report of a run that failed. */
export interface Received {
  readonly digest: Hex;
  readonly failure?: Failure | undefined;
}

/**
 * Fetches the provider's result, checks it against both commitments of the fair exchange and unpacks it. Resolves with
 * undefined when it cannot be opened, which is the provider's fault.
 * @throws DISK_TOO_FULL
 */
export async function openDelivered(
  context: WorkerContext,
  journal: JobJournal,
  {
    job: { submission, id },
    locator,
    sessionKey,
    disk,
  }: { job: Job; locator: ValidationLocator; sessionKey: Hex; disk: number },
  options: Abortable,
): Promise<Received | undefined> {
  if (!submission) throw measureFailed("nothing has been submitted");
  const home = jobFolder(context.jobsDir, "validator", id);
  // A report may be larger than what the task may write.
  const most = Math.max(disk, MAX_REPORT_BYTES);
  const opened = await journal.step<FetchTarget, Partial<Received>>("delivered", {
    prepare: () => ({ root: submission.resultRoot, path: home.result, maxBytes: parcelBytes(most) }),
    act: async (request) => {
      await requireRoom(request.path, locator.resultBytes);
      const blob = await fetchBlob(
        context,
        "encrypted result",
        { endpoint: locator.result, size: locator.resultBytes, quietMs: QUIET_MS, ...request },
        options,
      );
      if (keyCommitment(id, blindKey(sessionKey, locator.mask)) !== submission.keyCommitment) return {};
      // An attempt that was interrupted may have left files; `open` needs an absent folder.
      await rm(home.opened, { recursive: true, force: true });
      try {
        const { manifest, digest } = await context.parcels.open(
          { blob, sessionKey, into: home.opened, limits: { maxBytes: most, maxFiles: MAX_FILES } },
          options,
        );
        const failure = failureIn(manifest.note);
        return failure === undefined && manifest.totalBytes > disk ? {} : { digest, failure };
      } catch (error) {
        if (isIchainError(error) && error.class === "untrusted") return {};
        throw error;
      }
    },
  });
  const { digest, failure } = opened;
  return digest === undefined ? undefined : { digest, failure };
}
