import type { Logger, LogLevel } from "../ports/logger.ts";
import type { ProgressEvent, Reporter } from "../ports/reporter.ts";

const levels: Readonly<Record<Exclude<ProgressEvent["kind"], "progress">, LogLevel>> = {
  start: "debug",
  end: "debug",
  fail: "warn",
  info: "info",
  warn: "warn",
};

/** Passes each event on to `reporter` and writes it to the log, except progress, which would be most of its lines. */
export function loggingReporter(reporter: Reporter, logger: Logger): Reporter {
  return {
    emit(event) {
      reporter.emit(event);
      if (event.kind === "progress") return;
      const step = "id" in event ? { step: event.id } : {};
      logger[levels[event.kind]](event.text, { event: event.kind, job: event.job, ...step });
    },
  };
}
