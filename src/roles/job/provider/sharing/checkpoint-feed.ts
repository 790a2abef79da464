import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Abortable } from "../../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Blob, Feed, Hosting } from "../../../../ports/transport.ts";
import type { JobId } from "../../../../protocol/ids.ts";
import type { Party } from "../../../../protocol/offer.ts";
import {
  type Announcement,
  type CheckpointKeys,
  type CheckpointRefusal,
  checkpointRefusals,
  encodeAnnouncement,
} from "../../../../protocol/task/checkpoint.ts";
import type { WorkerContext } from "../../../context.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { noteIfPossible } from "../../../shared/note.ts";
import { requireRoom } from "../../../task/disk-room.ts";
import { runId } from "../../../task/run-task.ts";

const POLL_MS = 250;
/** Between two looks at the outputs, at least. */
const LOOK_MS = 1_000;
/** A checkpoint is followed by a pause of so many times what it took, so that a flood of them takes a tenth of a CPU. */
const PAUSE_TIMES = 9;

export interface CheckpointFeed {
  readonly feed: Feed;
  /** Takes each newer checkpoint of the run and serves it at `hosting`, until the run is over. */
  take(hosting: Hosting, options: Abortable): Promise<void>;
}

/**
 * The newest checkpoint of a job's run, as a parcel under a key that only requester and provider can derive, with its
 * announcement sealed to the requester. A checkpoint that cannot be taken is announced as refused; the run goes on.
 */
export function checkpointFeed(
  { sandbox, parcels, keyring, jobsDir }: WorkerContext,
  journal: JobJournal,
  { keys, requester, maxBytes }: { keys: CheckpointKeys; requester: Party; maxBytes: number },
): CheckpointFeed {
  const folder = jobFolder(jobsDir, "provider", journal.key as JobId).checkpoint;
  const into = join(folder, "files");
  let latest: Announcement | undefined;
  /** The newest that was taken: a requester that comes after a refused one still gets it. */
  let taken: Announcement | undefined;
  /** The one that the requester was told of last, which it may be fetching for minutes. */
  let told: Announcement | undefined;
  let served: readonly Blob[] = [];

  async function takeNewest(hosting: Hosting, options: Abortable): Promise<void> {
    await rm(into, { recursive: true, force: true });
    await requireRoom(join(folder, "parcel"), maxBytes);
    const run = runId(journal.role, journal.key, "produce");
    const number = await sandbox.checkpoint(run, { after: latest?.number, into, maxBytes }, options);
    if (number === undefined) return;
    const out = join(folder, `${number}.parcel`);
    const sessionKey = keys.parcelKey(number);
    const packing = parcels.pack({ root: into, paths: ["."], out, sessionKey }, options);
    const { blob } = await packing.catch((error: unknown) => {
      // Names that no parcel carries.
      if (!isIchainError(error) || error.class !== "usage") throw error;
      throw new IchainError("CHECKPOINT_UNSAFE", error.message, { details: { number }, cause: error });
    });
    await hosting.add(blob);
    taken = { number, root: blob.root, size: blob.size };
    latest = taken;
    const isNeeded = ({ root }: Blob) => root === blob.root || (told && "root" in told && root === told.root);
    for (const { root, path } of served.filter((one) => !isNeeded(one))) {
      hosting.remove(root);
      await Promise.all([path, `${path}.leaves`].map((one) => rm(one, { force: true })));
    }
    served = [...served.filter((one) => isNeeded(one) && one.root !== blob.root), blob];
  }

  return {
    feed: {
      id: keys.id,
      async read(from, { signal }) {
        for (;;) {
          const said = [taken, latest].find((one) => one !== undefined && one.number >= from);
          if (said !== undefined) {
            told = said;
            const sealed = await keyring.seal(encodeAnnouncement(said, keys.mac), requester);
            return Buffer.from(sealed.slice(2), "hex");
          }
          try {
            await delay(POLL_MS, undefined, { signal });
          } catch {
            return undefined;
          }
        }
      },
    },
    async take(hosting, { signal }) {
      let noted: string | undefined;
      while (journal.outcome("run-produce") === undefined) {
        const begun = performance.now();
        try {
          await takeNewest(hosting, { signal });
        } catch (error) {
          signal.throwIfAborted();
          const why = error instanceof Error ? error.message : String(error);
          if (why !== noted) noteIfPossible(journal, `a checkpoint is not taken: ${why}`);
          noted = why;
          latest = refusalIn(error) ?? latest;
        } finally {
          await rm(into, { recursive: true, force: true });
        }
        const took = performance.now() - begun;
        await delay(Math.max(LOOK_MS, PAUSE_TIMES * took), undefined, { signal });
      }
    },
  };
}

/** What is announced of a checkpoint that the task's own doing spoils; undefined for any other failure. */
function refusalIn(error: unknown): Announcement | undefined {
  if (!isIchainError(error) || typeof error.details.number !== "number") return undefined;
  const refused = checkpointRefusals.find((code): code is CheckpointRefusal => code === error.code);
  return refused && { number: error.details.number, refused };
}
