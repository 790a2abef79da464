import { rm } from "node:fs/promises";
import type { Abortable } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import type { JobJournal } from "../../ports/journal.ts";
import type { Blob } from "../../ports/transport.ts";
import type { Job } from "../../protocol/job/job.ts";
import { MAX_FILES } from "../../protocol/limits.ts";
import type { BundleLocator, ValidationLocator } from "../../protocol/parcel/locator.ts";
import type { Manifest } from "../../protocol/parcel/manifest.ts";
import { type Spec, specHash, specSchema } from "../../protocol/task/spec.ts";
import type { RoleContext } from "../context.ts";
import { jobFolder } from "../shared/job-folder.ts";
import { QUIET_MS } from "./await-host.ts";
import { asTooFull, requireRoom } from "./disk-room.ts";
import { fetchBlob } from "./fetch-blob.ts";
import { type KeptInput, openKept } from "./kept/kept-inputs.ts";

export interface Bundle {
  readonly blob: Blob;
  /** Inputs that are parcels of their own; absent in records of older versions. */
  readonly kept?: readonly KeptInput[];
  readonly spec: Spec;
  /** Keys of its author, who may read the result; the result's locator is sealed to them. */
  readonly requester: Manifest["author"];
  /** The unpacked files, the task's /in. */
  readonly input: string;
}

/**
 * Fetches the bundle and unpacks it for a run, for provider and validator. The spec in it must have the hash that is
 * in the terms. Inputs that are parcels of their own are unpacked beside it. A host that falls silent ends the fetch
 * soon; see `awaitHost`.
 * @throws TRANSFER_UNREACHABLE, TRANSFER_STALLED
 * @throws DISK_TOO_FULL after removing the job's files
 * @throws SPEC_MISMATCH
 */
export async function fetchBundle(
  context: RoleContext,
  journal: JobJournal,
  { job, locator, maxBytes }: { job: Job; locator: BundleLocator | ValidationLocator; maxBytes: number },
  options: Abortable,
): Promise<Bundle> {
  const home = jobFolder(context.jobsDir, journal.role, job.id);
  return journal.step("bundle", {
    prepare: () => ({ root: job.terms.bundleRoot, path: home.bundle }),
    act: async ({ root, path }) => {
      const { bundle: endpoint, bundleBytes: size, bundleKey: sessionKey } = locator;
      await requireRoom(path, size);
      const fetching = async () => {
        const blob: Blob = await fetchBlob(
          context,
          "bundle",
          { endpoint, root, path, maxBytes, size, quietMs: QUIET_MS },
          options,
        );
        // An attempt that was interrupted may have left files; `open` needs an absent folder.
        await rm(home.input, { recursive: true, force: true });
        const { manifest } = await context.parcels.open(
          { blob, sessionKey, into: home.input, limits: { maxBytes, maxFiles: MAX_FILES } },
          options,
        );
        const spec = specSchema.safeParse(manifest.note);
        if (!spec.success || specHash(spec.data) !== job.terms.specHash) throw wrongSpec();
        const kept = await openKept(
          context,
          {
            ...{ parts: spec.data.kept ?? [], requester: job.terms.requester },
            ...{ author: manifest.author.fingerprint, endpoint, dir: home.dir, input: home.input },
            maxBytes: maxBytes - blob.size,
          },
          options,
        );
        return { blob, kept, spec: spec.data, requester: manifest.author, input: home.input };
      };
      return await fetching().catch(async (error: unknown) => {
        const cause = asTooFull(error);
        // Free the disk for the journal and other jobs, although a later try has to fetch all again.
        if (cause !== error) await rm(home.dir, { recursive: true, force: true });
        throw cause;
      });
    },
  });
}

function wrongSpec(): IchainError {
  return new IchainError("SPEC_MISMATCH", "The bundle's spec is not the one in the job's terms.");
}
