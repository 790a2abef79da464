import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { type Abortable, linkSignals } from "../../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../../errors/error.ts";
import type { Blob } from "../../../../ports/transport.ts";
import { toHex } from "../../../../protocol/bytes.ts";
import { type Hex, type JobId, shortId } from "../../../../protocol/ids.ts";
import { parcelBytes } from "../../../../protocol/limits.ts";
import {
  CHECKPOINT_FILES,
  checkpointKeys,
  decodeAnnouncement,
  untrustedCheckpoint,
} from "../../../../protocol/task/checkpoint.ts";
import { liveKeys, liveLogPurpose } from "../../../../protocol/task/live-log.ts";
import type { RoleContext } from "../../../context.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { QUIET_MS } from "../../../task/await-host.ts";
import { requireRoom } from "../../../task/disk-room.ts";
import type { Draft } from "../posting/draft.ts";

/** Between two questions, and between two checkpoints at least. */
const POLL_MS = 1_000;
/** A checkpoint is followed by a pause of so many times what it took, so that a flood of them takes a fifth of the line. */
const PAUSE_TIMES = 4;

const keptSchema = z.strictObject({
  number: z.number().int().nonnegative(),
  size: z.number().int().positive(),
  root: z.string().regex(/^0x[0-9a-f]{64}$/) as z.ZodType<Hex>,
});
type Kept = z.infer<typeof keptSchema>;
type Place = Pick<RoleContext, "keyring" | "parcels" | "jobsDir">;

/** The newest checkpoint of a job that this machine holds, sealed; undefined where there is none. */
export async function keptCheckpoint(
  jobsDir: string,
  jobId: JobId,
): Promise<(Kept & { readonly blob: Blob }) | undefined> {
  const folder = jobFolder(jobsDir, "requester", jobId).checkpoint;
  const text = await readFile(join(folder, "kept.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const kept = keptSchema.parse(JSON.parse(text));
    return { ...kept, blob: { ...kept, path: join(folder, `${kept.number}.parcel`) } };
  } catch {
    return undefined; // damaged by the disk: as if none had come
  }
}

/**
 * Opens a checkpoint into the absent folder `into`.
 * @throws CHECKPOINT_UNTRUSTED unless the job's provider packed it within the job's bounds
 */
export async function openCheckpoint(
  { keyring, parcels }: Omit<Place, "jobsDir">,
  {
    jobId,
    draft,
    number,
    blob,
    into,
  }: { jobId: JobId; draft: Draft; number: number; blob: Blob; into: string },
  options: Abortable,
): Promise<void> {
  const { onionKey, fingerprint: author } = draft.provider.keys;
  const secret = await keyring.agree(onionKey, liveLogPurpose(jobId));
  const sessionKey = checkpointKeys(secret).parcelKey(number);
  const limits = { maxBytes: draft.spec.resources.checkpoint ?? 0, maxFiles: CHECKPOINT_FILES };
  try {
    await parcels.open({ blob, sessionKey, into, author, limits }, options);
  } catch (error) {
    if (isIchainError(error) && error.class === "untrusted") throw untrustedCheckpoint(error);
    throw error;
  }
}

/** The keeping of one job's checkpoints, which ends with its scope (`await using`). */
export interface CheckpointKeeper extends AsyncDisposable {
  /** Begins it in the background, once; it goes on while the job is Accepted. */
  start(): void;
}

/**
 * Fetches each newer checkpoint while a job runs, and keeps the newest that is what the job allows, encrypted as it
 * came. One that is not is reported and replaces nothing. The job neither waits for it nor fails with it.
 */
export function keepCheckpoints(
  context: RoleContext,
  jobId: JobId,
  draft: Draft,
  options: Abortable,
): CheckpointKeeper {
  const { transport, keyring, market, reporter, jobsDir } = context;
  const { checkpoint: maxBytes = 0 } = draft.spec.resources;
  const folder = jobFolder(jobsDir, "requester", jobId).checkpoint;
  const stop = new AbortController();
  const linked = linkSignals([options.signal, stop.signal]);
  const { signal } = linked;
  let keeping: Promise<void> | undefined;

  async function keep(): Promise<void> {
    const secret = await keyring.agree(draft.provider.keys.onionKey, liveLogPurpose(jobId));
    const { endpoint } = await transport.meetingPoint(liveKeys(secret).seed);
    const { id, mac } = checkpointKeys(secret);
    let next = ((await keptCheckpoint(jobsDir, jobId))?.number ?? -1) + 1;
    let told: string | undefined;
    for (;;) {
      let [begun, number]: [number, number | undefined] = [performance.now(), undefined];
      try {
        if ((await market.job(jobId, { signal })).state !== "Accepted") return;
        const sealed = await transport.fetchPart({ endpoint, id, from: next }, { signal });
        begun = performance.now();
        const said = sealed && decodeAnnouncement(await keyring.unseal(toHex(sealed)), next, mac);
        number = said?.number;
        if (said && "refused" in said) throw refusedThere(jobId, said.number, said.refused);
        if (said) await take({ ...said, endpoint });
      } catch (error) {
        signal.throwIfAborted();
        if (!isIchainError(error)) throw error;
        if (error.retryable) number = undefined;
        else if (told !== error.message)
          reporter.emit({ kind: "warn", text: `${error.message} ${error.hint}` });
        if (!error.retryable) told = error.message;
      }
      if (number !== undefined) next = number + 1;
      const took = number === undefined ? 0 : performance.now() - begun;
      await delay(Math.max(POLL_MS, PAUSE_TIMES * took), undefined, { signal });
    }
  }

  async function take({
    number,
    root,
    size,
    endpoint,
  }: Kept & Pick<Parameters<typeof transport.fetch>[0], "endpoint">) {
    if (size > parcelBytes(maxBytes)) throw untrustedCheckpoint();
    const path = join(folder, `${number}.parcel`);
    const into = join(folder, "opened");
    await requireRoom(path, size);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const blob = await transport.fetch(
      { endpoint, root, path, maxBytes: size, size, quietMs: QUIET_MS },
      { signal },
    );
    // Before it replaces the last one: a checkpoint that cannot be opened later is none.
    await rm(into, { recursive: true, force: true });
    await openCheckpoint(context, { jobId, draft, number, blob, into }, { signal }).finally(() =>
      rm(into, { recursive: true, force: true }),
    );
    const record = join(folder, "kept.json");
    await writeFile(`${record}.new`, JSON.stringify({ number, size, root } satisfies Kept), { mode: 0o600 });
    await rename(`${record}.new`, record);
    const needed = new Set(["kept.json", `${number}.parcel`]);
    for (const name of await readdir(folder))
      if (!needed.has(name)) await rm(join(folder, name), { recursive: true, force: true });
  }

  return {
    start() {
      if (maxBytes === 0) return;
      keeping ??= keep().catch((error: unknown) => {
        if (signal.aborted) return;
        const why = error instanceof Error ? error.message : String(error);
        reporter.emit({ kind: "warn", text: `No further checkpoint is kept: ${why}` });
      });
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      linked[Symbol.dispose]();
      await keeping;
    },
  };
}

function refusedThere(jobId: JobId, number: number, code: "CHECKPOINT_TOO_LARGE" | "CHECKPOINT_UNSAFE") {
  const why = code === "CHECKPOINT_UNSAFE" ? "is no folder of plain files" : "is larger than the job says";
  return new IchainError(code, `Checkpoint ${number} of job ${shortId(jobId)} ${why}, and was not taken.`);
}
