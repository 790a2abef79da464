import { setTimeout as delay } from "node:timers/promises";
import { type Abortable, linkSignals } from "../../../async/abort.ts";
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

/** A shorter run gets no live log: its output comes with the run report. */
const SHORT_RUN_MS = 5_000;
const POLL_MS = 250;
/** Read at once. */
const PIECES = 1024;

/**
 * Serves the task's output to the requester while it runs, at an address that only the two can derive; at most
 * `maxChars` UTF-16 units, because it is not paid for yet. The run neither waits for it nor fails with it. Serves until
 * it is disposed.
 */
export function shareLog(
  context: RoleContext,
  journal: JobJournal,
  { jobId, requester, maxChars }: { jobId: JobId; requester: Party; maxChars: number },
  options: Abortable,
): AsyncDisposable {
  const { keyring, transport } = context;
  const stop = new AbortController();
  const linked = linkSignals([options.signal, stop.signal]);
  const { signal } = linked;
  const note = (why: string) => noteIfPossible(journal, `the live log is not served: ${why}`);
  const host = async (): Promise<Hosting> => {
    const keys = liveKeys(await keyring.agree(requester.keys.onionKey, liveLogPurpose(jobId)));
    const feed = feedOf(context, journal, { keys, requester, maxChars });
    const identity = await transport.meetingPoint(keys.seed);
    return transport.host({ identity, blobs: [], readers: [requester.keys], feeds: [feed] }, { signal });
  };
  const begin = async (): Promise<Hosting | undefined> => {
    if (maxChars === 0) return undefined;
    await delay(SHORT_RUN_MS, undefined, { signal });
    return retryTransient(host, (error) => note(error.message), { signal });
  };
  const hosting = begin().catch((error: unknown) => {
    if (!signal.aborted) note(String(error));
    return undefined;
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      linked[Symbol.dispose]();
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
          await delay(POLL_MS, undefined, { signal });
        } catch {
          return undefined;
        }
      }
    },
  };
}

/** The part that begins with piece `from`; undefined while there is none. */
function partFrom(journal: JobJournal, from: number, maxChars: number): LivePart | undefined {
  const pieces = journal.logged(from, PIECES);
  if (pieces.length === 0) return undefined;
  const served = journal.logged(0, from).reduce((sum, { text }) => sum + text.length, 0);
  if (served >= maxChars) {
    const text =
      "\n[the live log ends here; the run report has the whole log, once the result is paid for]\n";
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
