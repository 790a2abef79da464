import { setTimeout as delay } from "node:timers/promises";
import type { Abortable } from "../../async/abort.ts";
import type { JobJournal } from "../../ports/journal.ts";
import { isEnd } from "./log-keeper.ts";
import { type Measured, stages } from "./run-task.ts";

const LOOK_MS = 250;
const PIECES = 1024;

/**
 * What the task of a job printed on this machine: as far as it has come, or with `follow` to its end.
 * Of a run that is over it is all that was kept, its end above all.
 */
export async function* ownLog(
  journal: JobJournal,
  { follow }: { follow: boolean },
  { signal }: Abortable,
): AsyncGenerator<string> {
  const [produced, evaluated, again] = stages.map(
    (stage) => journal.outcome<Measured>(`run-${stage}`)?.run.log,
  );
  // The second evaluation is of interest when it says something else.
  const done = [produced, evaluated, again === evaluated ? undefined : again].filter(
    (log) => log !== undefined,
  );
  const over = journal.logged(0, Number.MAX_SAFE_INTEGER).some(isEnd);
  if (over) return yield* done;
  for (let from = 0; ; ) {
    const pieces = journal.logged(from, PIECES);
    for (const piece of pieces) {
      if (piece.text !== "") yield piece.text;
      if (isEnd(piece)) return;
      from = piece.seq + 1;
    }
    if (pieces.length > 0) continue;
    if (!follow) return;
    await delay(LOOK_MS, undefined, { signal });
  }
}
