import type { Logger as Pino } from "pino";
import type { Logger, LogLevel } from "../ports/logger.ts";
import { escapeUnsafe } from "../protocol/neutralise.ts";
import { safeFacts, safeText } from "./facts.ts";
import { RotatingFile, type Rotation } from "./rotating-file.ts";

export interface LogSettings {
  /** The least level that is written. */
  readonly level: LogLevel;
  /** Absolute path; its folder is made when it is missing. */
  readonly file: string;
}

/**
 * The log of one daemon: a JSON object a line with `level`, `time` (ISO 8601, UTC), `msg` and the line's facts.
 * @throws LOG_UNWRITABLE
 * @example using log = await openLogger(config.log); log.info("The daemon started", { role: "provider" });
 */
export async function openLogger(
  { level, file }: LogSettings,
  rotation?: Rotation,
): Promise<Logger & Disposable> {
  const { pino } = await import("pino");
  const lines = new RotatingFile(file, rotation);
  const root = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Logs are read on terminals, which a stranger's text in them must not control.
    { write: (line: string) => lines.write(`${escapeUnsafe(line.trimEnd())}\n`) },
  );
  return { ...adapt(root), [Symbol.dispose]: () => lines[Symbol.dispose]() };
}

function adapt(target: Pino): Logger {
  const at =
    (level: LogLevel): Logger["info"] =>
    (message, facts = {}) => {
      if (target.isLevelEnabled(level)) target[level](safeFacts(facts), safeText(message));
    };
  return {
    error: at("error"),
    warn: at("warn"),
    info: at("info"),
    debug: at("debug"),
    child: (facts) => adapt(target.child(safeFacts(facts))),
  };
}
