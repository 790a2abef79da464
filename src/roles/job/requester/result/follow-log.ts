import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Abortable } from "../../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../../errors/error.ts";
import { toHex } from "../../../../protocol/bytes.ts";
import { type JobId, shortId } from "../../../../protocol/ids.ts";
import type { Job } from "../../../../protocol/job/job.ts";
import { isFinal, type JobState } from "../../../../protocol/job/state.ts";
import { MAX_LIVE_LOG_CHARS, PART_CHARS } from "../../../../protocol/limits.ts";
import { neutralise } from "../../../../protocol/neutralise.ts";
import { decodePart, type LivePart, liveKeys, liveLogPurpose } from "../../../../protocol/task/live-log.ts";
import type { RoleContext } from "../../../context.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { END, isEnd } from "../../../task/log-keeper.ts";
import { openDraft } from "../posting/draft.ts";

/** Between two requests while there is nothing new. */
const POLL_MS = 2_000;
/** After a part that is not full: an honest provider writes two pieces a second at most. */
const PART_PAUSE_MS = 250;
/** A part counts as at least so many UTF-16 units, so that tiny parts cannot fill the journal. */
const MIN_PART_CHARS = 64;
const CUT = "\n[no more of the live log is kept here; the run report has the whole log]\n";
/** More than a job's log has. */
const ALL_PIECES = 1_000_000;
/** Stage of what the provider sent; the journal may also hold the log of the requester's own run. */
const LIVE = "live";

/** The log in a run report that has been opened; undefined before. */
export async function reportedLog(jobsDir: string, jobId: JobId): Promise<string | undefined> {
  const path = join(jobFolder(jobsDir, "requester", jobId).reportFiles, "log.txt");
  return readFile(path, "utf8").then(neutralise, () => undefined);
}

/** The end of the log that the provider of a job that was given back left on the chain; undefined where there is none. */
export async function sealedEnd(
  { keyring }: Pick<RoleContext, "keyring">,
  { sealedLog }: Job,
): Promise<string | undefined> {
  if (sealedLog === undefined) return undefined;
  try {
    const text = new TextDecoder().decode(await keyring.unseal(sealedLog));
    return `[the beginning is left out]\n${neutralise(text)}`;
  } catch (error) {
    // A stranger may seal anything, to anybody.
    if (isIchainError(error)) return undefined;
    throw error;
  }
}

/**
 * The output of the provider's task: first what was received before, then new parts, with `follow` to the end of the
 * run, else as far as the run has come. A later call continues where this one stopped.
 * @throws JOB_NOT_OURS
 * @throws LOG_NOT_READY there is nothing yet, and `follow` is not set or the run is over
 * @throws LOG_UNTRUSTED
 */
export async function* followLog(
  context: RoleContext,
  jobId: JobId,
  { follow }: { follow: boolean },
  { signal }: Abortable,
): AsyncGenerator<string> {
  const { journal, draft } = openDraft(context.journal, jobId);
  const keys = liveKeys(await context.keyring.agree(draft.provider.keys.onionKey, liveLogPurpose(jobId)));
  const { endpoint } = await context.transport.meetingPoint(keys.seed);
  const held = journal.logged(0, ALL_PIECES).filter(({ stage }) => stage === LIVE || stage === END);
  for (const { text } of held) if (text !== "") yield text;
  let next = held.at(-1)?.upto ?? 0;
  let ended = held.some(isEnd);
  let room = MAX_LIVE_LOG_CHARS - held.reduce((sum, piece) => sum + weight(piece), 0);
  while (!ended) {
    const { state } = await context.market.job(jobId, { signal });
    const running = state === "Posted" || state === "Accepted";
    // The provider serves the log until the job is final.
    const part = isFinal(state) ? undefined : await ask(next);
    if (part) {
      next = part.next;
      room -= weight(part);
      ended = part.last || room <= 0;
      const text = part.last || room > 0 ? part.text : `${part.text}${CUT}`;
      journal.log({ stage: ended ? END : LIVE, upto: next, text });
      if (text !== "") yield text;
      if (!ended && part.text.length < PART_CHARS / 2) await delay(PART_PAUSE_MS, undefined, { signal });
    } else if (!follow || !running) {
      if (next === 0) throw notReady(jobId, state);
      return;
    } else await delay(POLL_MS, undefined, { signal });
  }

  /** The part that begins at `from`; undefined while there is none, or while the provider cannot be reached. */
  async function ask(from: number): Promise<LivePart | undefined> {
    try {
      const sealed = await context.transport.fetchPart({ endpoint, id: keys.id, from }, { signal });
      return sealed && decodePart(await context.keyring.unseal(toHex(sealed)), from, keys.mac);
    } catch (error) {
      signal.throwIfAborted();
      if (isIchainError(error) && error.retryable) return undefined;
      throw error;
    }
  }
}

const weight = ({ text }: { text: string }) => Math.max(text.length, MIN_PART_CHARS);

function notReady(jobId: JobId, state: JobState): IchainError {
  const id = shortId(jobId);
  const hints: Partial<Record<JobState, string>> = {
    Posted: `"ichain logs ${id} --follow" waits for it.`,
    Accepted: `"ichain logs ${id} --follow" waits for it; a run of less than five seconds has no live log.`,
    Refunded: `"ichain why ${id}" tells how the job ended; its provider left no log here.`,
    Cancelled: "The job was taken back: no run was made.",
  };
  return new IchainError("LOG_NOT_READY", `There is no log of job ${id} yet.`, {
    hint: hints[state] ?? `"ichain get ${id}" fetches the whole log with the result, once that is paid for.`,
  });
}
