import type { JobJournal } from "../../ports/journal.ts";

/** How often what a task printed is written down. */
const WRITE_MS = 500;
/** Most that is kept of what came within that time, some 24 KiB/s; a piece fits a part (`PART_CHARS`). */
const BURST_CHARS = 12_288;
const PIECES = 1_000_000;

export interface LogKeeper {
  /** Neutralised text of the task, as it comes. */
  push(text: string): void;
  /** Writes what is left. */
  [Symbol.dispose](): void;
}

/**
 * Keeps what a run prints in the journal while it runs: written twice a second, a burst's middle left
 * out, nothing after `maxChars` or while the journal cannot be written. A run that is followed again from its beginning, after a crash, is not
 * written down twice.
 */
export function keepLog(journal: JobJournal, stage: string, { maxChars }: { maxChars: number }): LogKeeper {
  const before = journal.logged(0, PIECES).filter((piece) => piece.stage === stage);
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
      return; // a full disk, a journal in use: no run fails with its log, and the next piece tries again
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

/** The stage of the piece that says that nothing follows. */
export const END = "end";

/** Says that no run of this job will print any more; a second time it says nothing. */
export function endLog(journal: JobJournal): void {
  const last = journal.logged(0, PIECES).at(-1);
  if (last?.stage !== END) journal.log({ stage: END, upto: 0, text: "" });
}

export const isEnd = ({ stage }: { stage: string }): boolean => stage === END;
