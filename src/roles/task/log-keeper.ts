import type { JobJournal } from "../../ports/journal.ts";

/** Time between two writes of a task's output. */
const WRITE_MS = 500;
/** Kept of the output within that time, at most: some 24 KiB/s. A piece must fit a part (`PART_CHARS`). */
const BURST_CHARS = 12_288;
/** More than a job's log has. */
const ALL_PIECES = 1_000_000;

export interface LogKeeper {
  /** Adds text of the task, neutralised. */
  push(text: string): void;
  /** Writes the rest. */
  [Symbol.dispose](): void;
}

/**
 * Writes a run's output to the journal while it runs, twice a second. Leaves out the end of a burst, everything after
 * `maxChars` UTF-16 units, and what comes while the journal cannot be written. After a crash the output is read again
 * from its beginning; what the journal already holds is skipped.
 */
export function keepLog(journal: JobJournal, stage: string, { maxChars }: { maxChars: number }): LogKeeper {
  const before = journal.logged(0, ALL_PIECES).filter((piece) => piece.stage === stage);
  let skip = before.at(-1)?.upto ?? 0;
  let upto = skip;
  let room = maxChars - before.reduce((sum, piece) => sum + piece.text.length, 0);
  let [pending, left] = ["", 0];
  let timer: NodeJS.Timeout | undefined;

  function write(): void {
    clearTimeout(timer);
    timer = undefined;
    if (pending === "" || room <= 0) return;
    const kept = pending.slice(0, room);
    const cut = kept.length < pending.length;
    const gap = left > 0 && !cut ? `\n[${left} characters left out]\n` : "";
    const end = cut ? "\n[the live log ends here; the run report has the end]\n" : "";
    try {
      journal.log({ stage, upto, text: `${kept}${gap}${end}` });
    } catch {
      return; // a full disk or a journal in use must not fail the run; the next piece tries again
    }
    room = cut ? 0 : room - kept.length;
    [pending, left] = ["", 0];
  }

  return {
    push(text) {
      const fresh = text.slice(skip);
      skip -= text.length - fresh.length;
      upto += fresh.length;
      const fits = fresh.slice(0, BURST_CHARS - pending.length);
      pending += fits;
      left += fresh.length - fits.length;
      if (fresh !== "") timer ??= setTimeout(write, WRITE_MS);
    },
    [Symbol.dispose]: write,
  };
}

/** Stage of the piece after which no other follows. */
export const END = "end";

/** Records that no run of this job will print any more; safe to repeat. */
export function endLog(journal: JobJournal): void {
  const last = journal.logged(0, ALL_PIECES).at(-1);
  if (last?.stage !== END) journal.log({ stage: END, upto: 0, text: "" });
}

export const isEnd = ({ stage }: { stage: string }): boolean => stage === END;
