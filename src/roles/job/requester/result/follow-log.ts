import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Abortable } from "../../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../../errors/error.ts";
import { toHex } from "../../../../protocol/bytes.ts";
import { type JobId, shortId } from "../../../../protocol/ids.ts";
import { isFinal } from "../../../../protocol/job/state.ts";
import { MAX_LIVE_LOG_CHARS, PART_CHARS } from "../../../../protocol/limits.ts";
import { neutralise } from "../../../../protocol/neutralise.ts";
import { decodePart, type LivePart, liveKeys, liveLogPurpose } from "../../../../protocol/task/live-log.ts";
import type { RoleContext } from "../../../context.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { END, isEnd } from "../../../task/log-keeper.ts";
import { draftOf } from "../posting/draft.ts";
import { unknownDraft } from "../posting/unknown-draft.ts";

const PAUSE_MS = 2_000;
/** Between two parts that are not full: an honest provider has no more than two a second. */
const PART_PAUSE_MS = 250;
/** A part counts at least for so much, or very small ones would be without number. */
const LEAST_CHARS = 64;
const CUT = "\n[no more of the live log is kept here; the run report has the whole log]\n";
const PIECES = 1_000_000;
/** Not a run of our own, which the journal may hold as well. */
const LIVE = "live";

/** The log in a run report that has been opened; undefined before. */
export async function reportedLog(jobsDir: string, jobId: JobId): Promise<string | undefined> {
  const path = join(jobFolder(jobsDir, "requester", jobId).reportFiles, "log.txt");
  return readFile(path, "utf8").then(neutralise, () => undefined);
}

/**
 * What the provider's task prints, as it comes: first what was received before, then new parts, to the
 * end of the run when `follow` is set, else as far as the run has come. Stopping and calling again goes
 * on where it was. Throws `LOG_NOT_READY` when there is nothing and nobody is to wait.
 */
export async function* followLog(
  context: RoleContext,
  jobId: JobId,
  { follow }: { follow: boolean },
  { signal }: Abortable,
): AsyncGenerator<string> {
  const journal = context.journal.open("requester", jobId);
  const draft = draftOf(journal);
  if (!draft) throw unknownDraft(jobId);
  const keys = liveKeys(await context.keyring.agree(draft.provider.keys.onionKey, liveLogPurpose(jobId)));
  const { endpoint } = await context.transport.meetingPoint(keys.seed);
  const held = journal.logged(0, PIECES).filter(({ stage }) => stage === LIVE || stage === END);
  for (const { text } of held) if (text !== "") yield text;
  let at = held.at(-1)?.upto ?? 0;
  let ended = held.some(isEnd);
  let room = MAX_LIVE_LOG_CHARS - held.reduce((sum, piece) => sum + weight(piece), 0);
  while (!ended) {
    const { state } = await context.market.job(jobId, { signal });
    const running = state === "Posted" || state === "Accepted";
    // A provider goes on serving what it has printed until the job is over.
    const part = isFinal(state) ? undefined : await ask(at);
    if (part) {
      at = part.next;
      room -= weight(part);
      ended = part.last || room <= 0;
      const text = part.last || room > 0 ? part.text : `${part.text}${CUT}`;
      journal.log({ stage: ended ? END : LIVE, upto: at, text });
      if (text !== "") yield text;
      if (!ended && part.text.length < PART_CHARS / 2) await delay(PART_PAUSE_MS, undefined, { signal });
    } else if (!follow || !running) {
      if (at === 0) throw notReady(jobId, running);
      return;
    } else await delay(PAUSE_MS, undefined, { signal });
  }

  /** Undefined while nothing new is there, and while the provider is not to be reached. */
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

const weight = ({ text }: { text: string }) => Math.max(text.length, LEAST_CHARS);

function notReady(jobId: JobId, running: boolean): IchainError {
  const id = shortId(jobId);
  return new IchainError("LOG_NOT_READY", `Nothing of the log of job ${id} is here.`, {
    hint: running
      ? `"ichain logs ${id} --follow" waits for it; runs of a few seconds have no live log.`
      : `"ichain get ${id}" brings the whole log with the result, once that is paid for.`,
  });
}
