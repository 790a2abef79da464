import type { ProgressEvent, Reporter } from "../ports/reporter.ts";
import { neutraliseLine } from "../protocol/neutralise.ts";

export interface ClosableReporter extends Reporter {
  /** Clears the spinner; later events are dropped. */
  close(): void;
}

export const silentReporter: ClosableReporter = { emit() {}, close() {} };

const marks = { start: "-", end: "✔", fail: "✖", info: "-", warn: "!" } as const;

/** One line an event; for a step's progress at most one in ten seconds. */
export function plainReporter(stream: NodeJS.WritableStream): ClosableReporter {
  const lastShown = new Map<string, number>();
  let open = true;
  return {
    emit(event) {
      if (!open) return;
      if (event.kind === "progress") {
        const now = performance.now();
        if (now - (lastShown.get(event.id) ?? now - 10_000) < 10_000) return;
        lastShown.set(event.id, now);
        stream.write(`  ${line(event)}\n`);
        return;
      }
      if (event.kind === "start") lastShown.set(event.id, performance.now());
      if (event.kind === "end" || event.kind === "fail") lastShown.delete(event.id);
      stream.write(`${marks[event.kind]} ${line(event)}\n`);
    },
    close() {
      open = false;
    },
  };
}

/** An event as one line without control characters. */
export function line(event: ProgressEvent): string {
  const text = neutraliseLine(event.text);
  if (event.kind !== "progress" || event.done === undefined || !event.total) return text;
  return `${text} ${Math.floor((100 * event.done) / event.total)} %`;
}
