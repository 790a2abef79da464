import type { ProgressEvent, Reporter } from "../ports/reporter.ts";
import { neutraliseLine } from "../protocol/neutralise.ts";

export interface ClosableReporter extends Reporter {
  /** Takes what moves off the screen; later events are dropped. */
  close(): void;
}

export const silentReporter: ClosableReporter = { emit() {}, close() {} };

const marks = { start: "-", end: "✔", fail: "✖", info: "-", warn: "!" } as const;

/** One line an event; of a step's progress at most a line in ten seconds. */
export function plainReporter(stream: NodeJS.WritableStream): ClosableReporter {
  const said = new Map<string, number>();
  let open = true;
  return {
    emit(event) {
      if (!open) return;
      if (event.kind === "progress") {
        const now = performance.now();
        if (now - (said.get(event.id) ?? now - 10_000) < 10_000) return;
        said.set(event.id, now);
        stream.write(`  ${line(event)}\n`);
        return;
      }
      if (event.kind === "start") said.set(event.id, performance.now());
      if (event.kind === "end" || event.kind === "fail") said.delete(event.id);
      stream.write(`${marks[event.kind]} ${line(event)}\n`);
    },
    close() {
      open = false;
    },
  };
}

/** What an event says in one line, safe for a terminal. */
export function line(event: ProgressEvent): string {
  const text = neutraliseLine(event.text);
  if (event.kind !== "progress" || event.done === undefined || !event.total) return text;
  return `${text} ${Math.floor((100 * event.done) / event.total)} %`;
}
