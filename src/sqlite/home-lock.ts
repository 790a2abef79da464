import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { IchainError } from "../errors/error.ts";
import { lockFile } from "./lock.ts";

/**
 * Keeps a second daemon out of the home folder until disposed of, or until the process ends, however it
 * ends: two would take the same job, and each would give back what the other runs. Commands that are no
 * daemons do not ask for it. Throws `HOME_BUSY`.
 */
export function lockHome(home: string): Disposable {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const claim = lockFile(join(home, "daemon.lock"));
  if (claim !== undefined) return { [Symbol.dispose]: () => claim.close() };
  throw new IchainError(`Another daemon works in ${home}.`, {
    code: "HOME_BUSY",
    class: "unavailable",
    hint:
      'Stop it first; one "ichain provide --validate" does both kinds of work. A second daemon needs ' +
      "an ICHAIN_HOME and an account of its own.",
    details: { home },
    retryable: true,
  });
}
