import { setTimeout as delay } from "node:timers/promises";
import { type Abortable, linkSignals } from "../../../../async/abort.ts";
import { retryTransient } from "../../../../async/retry.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Hosting } from "../../../../ports/transport.ts";
import type { JobId } from "../../../../protocol/ids.ts";
import type { Party } from "../../../../protocol/offer.ts";
import { checkpointKeys } from "../../../../protocol/task/checkpoint.ts";
import { liveKeys, liveLogPurpose } from "../../../../protocol/task/live-log.ts";
import type { WorkerContext } from "../../../context.ts";
import { noteIfPossible } from "../../../shared/note.ts";
import { checkpointFeed } from "./checkpoint-feed.ts";
import { logFeed } from "./log-feed.ts";

/** A shorter run shows nothing live: its output comes with the run report. */
const SHORT_RUN_MS = 5_000;

/** What a requester is shown of a run before it is paid for; nothing where 0. */
export interface Shown {
  /** Of the output, in UTF-16 units. */
  readonly maxChars: number;
  /** Of one checkpoint. */
  readonly checkpointBytes: number;
}

/**
 * Serves the task's output and checkpoints to the requester while it runs, at an address that only the two can derive.
 * The run neither waits for it nor fails with it. Serves until it is disposed.
 */
export function shareRun(
  context: WorkerContext,
  journal: JobJournal,
  { jobId, requester, maxChars, checkpointBytes }: Shown & { jobId: JobId; requester: Party },
  options: Abortable,
): AsyncDisposable {
  const { keyring, transport } = context;
  const stop = new AbortController();
  const linked = linkSignals([options.signal, stop.signal]);
  const { signal } = linked;
  const note = (why: string) => noteIfPossible(journal, `the run is not shown: ${why}`);
  const host = async () => {
    const secret = await keyring.agree(requester.keys.onionKey, liveLogPurpose(jobId));
    const keys = liveKeys(secret);
    const log = maxChars > 0 ? logFeed(keyring, journal, { keys, requester, maxChars }) : undefined;
    const checkpoints =
      checkpointBytes > 0
        ? checkpointFeed(context, journal, {
            keys: checkpointKeys(secret),
            requester,
            maxBytes: checkpointBytes,
          })
        : undefined;
    const feeds = [log, checkpoints?.feed].filter((feed) => feed !== undefined);
    const identity = await transport.meetingPoint(keys.seed);
    const request = { identity, blobs: [], readers: [requester.keys], feeds };
    return { hosting: await transport.host(request, { signal }), checkpoints };
  };
  const begin = async (): Promise<{ hosting: Hosting; taking: Promise<void> | undefined } | undefined> => {
    if (maxChars === 0 && checkpointBytes === 0) return undefined;
    await delay(SHORT_RUN_MS, undefined, { signal });
    const { hosting, checkpoints } = await retryTransient(host, (error) => note(error.message), { signal });
    const taking = checkpoints?.take(hosting, { signal }).catch((error: unknown) => {
      if (!signal.aborted) note(String(error));
    });
    return { hosting, taking };
  };
  const sharing = begin().catch((error: unknown) => {
    if (!signal.aborted) note(String(error));
    return undefined;
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      linked[Symbol.dispose]();
      const begun = await sharing;
      await begun?.taking;
      await begun?.hosting.stop();
    },
  };
}
