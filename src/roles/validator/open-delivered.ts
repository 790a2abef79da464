import { rm } from "node:fs/promises";
import { isIchainError } from "../../errors.ts";
import type { JobJournal } from "../../ports/journal.ts";
import type { FetchRequest } from "../../ports/transport.ts";
import { blindKey, keyCommitment, maskHash } from "../../protocol/exchange.ts";
import type { Hex } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job.ts";
import type { ValidationLocator } from "../../protocol/locator.ts";
import { secretHash } from "../../protocol/seeds.ts";
import type { Waits, WorkerContext } from "../context.ts";
import { awaitCapsule } from "../shared/await-capsule.ts";
import { fetchBlob } from "../shared/fetch-blob.ts";
import { jobFolder } from "../shared/job-folder.ts";
import { measureFailed } from "./measure-failed.ts";

type FetchTarget = Pick<FetchRequest, "root" | "path" | "maxBytes">;

/** What a parcel of `disk` bytes may take with names, framing and encryption on top. */
const parcelBytes = (disk: number) => disk + Math.ceil(disk / 16) + (16 << 20);

/**
 * Fetches the provider's result, checks both commitments of the fair exchange and unpacks it. Resolves
 * with its digest, or undefined when what was delivered cannot be opened: the provider's fault.
 */
export async function openDelivered(
  context: WorkerContext,
  journal: JobJournal,
  { job, locator, disk }: { job: Job; locator: ValidationLocator; disk: number },
  waits: Waits,
): Promise<Hex | undefined> {
  const { submission, terms, id } = job;
  if (!submission) throw measureFailed("nothing has been submitted");
  if (secretHash(maskHash(locator.mask), job.seedTip) !== terms.secretHash)
    throw measureFailed("the mask is not the one in the terms");
  const home = jobFolder(context.jobsDir, "validator", id);
  const opened = await journal.step<FetchTarget, { digest?: Hex }>("delivered", {
    prepare: () => ({ root: submission.resultRoot, path: home.result, maxBytes: parcelBytes(disk) }),
    act: async (request) => {
      // First: until then the host may not have let us in.
      const sessionKey = await awaitCapsule(context, locator.result, submission.resultRoot, waits);
      const blob = await fetchBlob(
        context,
        "encrypted result",
        { endpoint: locator.result, size: locator.resultBytes, ...request },
        waits,
      );
      if (keyCommitment(id, blindKey(sessionKey, locator.mask)) !== submission.keyCommitment) return {};
      // What an attempt that was cut off left is in the way of this one.
      await rm(home.opened, { recursive: true, force: true });
      try {
        return await context.parcels.open(
          { blob, sessionKey, into: home.opened, limits: { maxBytes: disk, maxFiles: 100_000 } },
          waits,
        );
      } catch (error) {
        if (isIchainError(error) && error.class === "untrusted") return {};
        throw error;
      }
    },
  });
  return opened.digest;
}
