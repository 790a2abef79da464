/** What a line can say beside its message; other values are left out. */
export interface LogFacts {
  /** A thrown error: its code, message and details are kept, its causes are not. */
  readonly error?: unknown;
  readonly [name: string]: unknown;
}

type Log = (message: string, facts?: LogFacts) => void;

/**
 * What a daemon did, for its operator. Facts are ids, codes and counts; never keys, passwords, locators, capsules,
 * tokens or a task's output. Logging never throws and never waits.
 */
export interface Logger {
  /** A job or the daemon ended for a reason that cannot pass. */
  readonly error: Log;
  /** Something needs the operator's attention, or is tried again. */
  readonly warn: Log;
  /** A step that was done. */
  readonly info: Log;
  /** What only a search for a fault needs: attempts, retries, steps that began. */
  readonly debug: Log;
  /** The same log, whose lines all carry `facts`. */
  child(facts: LogFacts): Logger;
}

export type LogLevel = Exclude<keyof Logger, "child">;

const ignore = (): void => undefined;

/** Keeps nothing: for commands, which show on the terminal what they do. */
export const silentLogger: Logger = {
  error: ignore,
  warn: ignore,
  info: ignore,
  debug: ignore,
  child: () => silentLogger,
};
