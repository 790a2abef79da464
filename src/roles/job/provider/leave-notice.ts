import { type Abortable, linkSignals } from "../../../async/abort.ts";
import { retryUnavailable } from "../../../async/retry.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import { fromHex, toHex } from "../../../protocol/bytes.ts";
import type { Hex } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { MAX_LOG_END_BYTES, PART_CHARS } from "../../../protocol/limits.ts";
import { neutralise } from "../../../protocol/neutralise.ts";
import { type BundleLocator, decodeLocator } from "../../../protocol/parcel/locator.ts";
import type { Refusal } from "../../../protocol/policy/refusal.ts";
import { encodeNotice, type Notice } from "../../../protocol/task/notice.ts";
import type { WorkerContext } from "../../context.ts";
import { noteIfPossible } from "../../shared/note.ts";
import type { Bundle } from "../../task/fetch-bundle.ts";
import { endOfLog, type Measured, printed, stages } from "../../task/run-task.ts";

/** For one notice: a requester that is away gets none, and the chain has the reason. */
const NOTICE_MS = 20_000;
/** No try begins later; `ichain serve` hosts a job some seconds after it was posted. */
const RETRY_MS = 10_000;

interface Said {
  readonly kind: Notice["kind"];
  readonly refusal: Refusal;
  /** Shown of the log of a failed run, at most; none unless given. */
  readonly logChars?: number;
}

/**
 * Tells the requester that its job is declined, or how its run failed, where its host answers; tries once. Resolves with
 * whether it was told. Never fails: what happens to the job does not depend on it.
 */
export async function leaveNotice(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  said: Said,
  { signal }: Abortable,
): Promise<boolean> {
  const send = async (notice: Hex): Promise<boolean> => {
    using limit = linkSignals([signal], await limitMs(context, job, { signal }));
    const { bundle: endpoint } = await locatorOf(context, journal, job);
    const request = { endpoint, root: job.terms.bundleRoot, notice: fromHex(notice) };
    await retryUnavailable(() => context.transport.sendNotice(request, limit), limit, RETRY_MS);
    return true;
  };
  try {
    return await journal.step("notice", {
      prepare: () => draft(context, journal, job, said, { signal }),
      act: (notice) =>
        send(notice).catch((error: unknown) => {
          signal.throwIfAborted();
          noteIfPossible(journal, `the requester could not be told: ${String(error)}`);
          return false;
        }),
    });
  } catch (error) {
    signal.throwIfAborted();
    noteIfPossible(journal, `no notice was made: ${String(error)}`);
    return false;
  }
}

/** The signed notice, sealed once the requester's keys are known: before the fetch there is nothing to hide in it. */
async function draft(
  { market, keyring }: WorkerContext,
  journal: JobJournal,
  job: Job,
  { kind, refusal: { code, reason }, logChars = 0 }: Said,
  options: Abortable,
): Promise<Hex> {
  const at = Math.floor(await market.now(options));
  const claim = { version: 1, kind, jobId: job.id, code, reason: reason.slice(0, 512), at } as const;
  const signed = market.signNotice({ ...claim, ...(kind === "failed" ? endOf(journal, logChars) : {}) });
  const bytes = encodeNotice(signed);
  const keys = journal.outcome<Bundle>("bundle")?.requester;
  return keys ? keyring.seal(bytes, { account: job.terms.requester, keys }) : toHex(bytes);
}

/**
 * The end of what all runs of a job printed, sealed to the requester in at most `MAX_LOG_END_BYTES`; undefined where nothing
 * may be shown, or nothing was printed.
 */
export async function sealEnd(
  { keyring }: Pick<WorkerContext, "keyring">,
  journal: JobJournal,
  { terms }: Job,
  logChars: number,
): Promise<Hex | undefined> {
  const keys = journal.outcome<Bundle>("bundle")?.requester;
  const { log } = endOf(journal, logChars);
  if (keys === undefined || log === undefined || log === "") return undefined;
  for (let chars = Math.min(log.length, MAX_LOG_END_BYTES); chars > 0; chars = Math.floor((chars * 3) / 4)) {
    const end = new TextEncoder().encode(log.slice(-chars));
    if (end.length > MAX_LOG_END_BYTES) continue;
    const sealed = await keyring.seal(end, { account: terms.requester, keys });
    if (fromHex(sealed).length <= MAX_LOG_END_BYTES) return sealed;
  }
  return undefined;
}

/** How the last run ended, and the end of what all runs printed, at most `most` UTF-16 units. */
function endOf(journal: JobJournal, most: number): Pick<Notice, "run" | "log"> {
  const runs = stages.flatMap((stage) => journal.outcome<Measured>(`run-${stage}`)?.run ?? []);
  const last = runs.at(-1);
  if (last === undefined) return {};
  const { ended, exitCode, wallSeconds, cpuSeconds, peakMemoryBytes } = last;
  const log = neutralise(printed(journal).join("\n[next run]\n"));
  const room = Math.min(most, PART_CHARS);
  return {
    run: { ended, exitCode, wallSeconds, cpuSeconds, peakMemoryBytes },
    ...(room === 0 ? {} : { log: endOfLog(log, room) }),
  };
}

async function locatorOf(
  { keyring }: Pick<WorkerContext, "keyring">,
  journal: JobJournal,
  job: Job,
): Promise<BundleLocator> {
  const known = journal.outcome<BundleLocator>("locator");
  return known ?? decodeLocator(await keyring.unseal(job.sealedBundle), "bundle");
}

/** Leaves an accepted job two thirds of the time that is left, for `release`. */
async function limitMs({ market }: WorkerContext, job: Job, options: Abortable): Promise<number> {
  if (job.state !== "Accepted" || job.deadline === undefined) return NOTICE_MS;
  const left = (job.deadline - (await market.now(options))) * 1000;
  return Math.max(1, Math.min(NOTICE_MS, left / 3));
}
