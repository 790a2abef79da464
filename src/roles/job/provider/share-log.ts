import { setTimeout as delay } from "node:timers/promises";
import type { Abortable } from "../../../async/abort.ts";
import { retryTransient } from "../../../async/retry.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Feed, Hosting } from "../../../ports/transport.ts";
import type { JobId } from "../../../protocol/ids.ts";
import { PART_CHARS } from "../../../protocol/limits.ts";
import type { Party } from "../../../protocol/offer.ts";
import {
  encodePart,
  type LiveKeys,
  type LivePart,
  liveKeys,
  liveLogPurpose,
} from "../../../protocol/task/live-log.ts";
import type { RoleContext } from "../../context.ts";
import { noteIfPossible } from "../../shared/note.ts";
import { isEnd } from "../../task/log-keeper.ts";

/** A run that ends sooner is not worth a hosting of its own; its log comes with the run report. */
const SHORT_RUN_MS = 5_000;
const LOOK_MS = 250;
const PIECES = 1024;

/**
 * Serves what the task prints to the requester while it runs, at a place that only the two can derive;
 * at most `maxChars` of it, for it has not been paid for yet. The run never waits for it nor fails with it.
 */
export function shareLog(
  context: RoleContext,
  journal: JobJournal,
  { jobId, requester, maxChars }: { jobId: JobId; requester: Party; maxChars: number },
  options: Abortable,
): AsyncDisposable {
  const { keyring, transport } = context;
  const halt = new AbortController();
  const signal = AbortSignal.any([options.signal, halt.signal]);
  const host = async (): Promise<Hosting> => {
    const keys = liveKeys(await keyring.agree(requester.keys.onionKey, liveLogPurpose(jobId)));
    const feed = feedOf(context, journal, { keys, requester, maxChars });
    const identity = await transport.meetingPoint(keys.seed);
    return transport.host({ identity, blobs: [], readers: [requester.keys], feeds: [feed] }, { signal });
  };
  const begin = async (): Promise<Hosting | undefined> => {
    if (maxChars === 0) return undefined;
    await delay(SHORT_RUN_MS, undefined, { signal });
    return retryTransient(
      host,
      (error) => noteIfPossible(journal, `the live log is not served: ${error.message}`),
      {
        signal,
      },
    );
  };
  const hosting = begin().catch((error: unknown) => {
    if (!signal.aborted) noteIfPossible(journal, `the live log is not served: ${String(error)}`);
    return undefined;
  });
  return {
    async [Symbol.asyncDispose]() {
      halt.abort();
      await (await hosting)?.stop();
    },
  };
}

function feedOf(
  { keyring }: RoleContext,
  journal: JobJournal,
  { keys, requester, maxChars }: { keys: LiveKeys; requester: Party; maxChars: number },
): Feed {
  return {
    id: keys.id,
    async read(from, { signal }) {
      for (;;) {
        const part = partFrom(journal, from, maxChars);
        if (part) {
          const sealed = await keyring.seal(encodePart(part, keys.mac), requester);
          return Buffer.from(sealed.slice(2), "hex");
        }
        try {
          await delay(LOOK_MS, undefined, { signal });
        } catch {
          return undefined;
        }
      }
    },
  };
}

/** What there is to tell from piece `from` on; undefined while there is nothing. */
function partFrom(journal: JobJournal, from: number, maxChars: number): LivePart | undefined {
  const pieces = journal.logged(from, PIECES);
  if (pieces.length === 0) return undefined;
  const told = journal.logged(0, from).reduce((sum, { text }) => sum + text.length, 0);
  if (told >= maxChars) {
    const text = "\n[no more is shown of a result that is not paid for; the run report has the whole log]\n";
    return { from, next: from, text, last: true };
  }
  let text = "";
  let next = from;
  for (const piece of pieces) {
    if (text !== "" && text.length + piece.text.length > PART_CHARS) break;
    text += piece.text;
    next = piece.seq + 1;
    if (isEnd(piece)) return { from, next, text, last: true };
  }
  return { from, next, text, last: false };
}
