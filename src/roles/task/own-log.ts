import { setTimeout as delay } from "node:timers/promises";
import type { Abortable } from "../../async/abort.ts";
import type { JobJournal } from "../../ports/journal.ts";
import { isEnd } from "./log-keeper.ts";
import { printed } from "./run-task.ts";

const POLL_MS = 250;
/** Read at once. */
const PIECES = 1024;

/**
 * The output of a job's task on this machine: as far as it has come, or with `follow` to its end. Of runs that are over
 * it is the sandbox's log, which keeps the last lines.
 */
export async function* ownLog(
  journal: JobJournal,
  { follow }: { follow: boolean },
  { signal }: Abortable,
): AsyncGenerator<string> {
  const over = journal.logged(0, Number.MAX_SAFE_INTEGER).some(isEnd);
  if (over) return yield* printed(journal);
  for (let from = 0; ; ) {
    const pieces = journal.logged(from, PIECES);
    for (const piece of pieces) {
      if (piece.text !== "") yield piece.text;
      if (isEnd(piece)) return;
      from = piece.seq + 1;
    }
    if (pieces.length > 0) continue;
    if (!follow) return;
    await delay(POLL_MS, undefined, { signal });
  }
}
