import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { AbortOptions } from "../../../async/abort.ts";
import { childEnvironment } from "../../../config.ts";
import { torMissing, torTooOld } from "../errors.ts";

const run = promisify(execFile);

/** The first series that this transfer was measured with: older congestion control and onion code are slower. */
const LEAST = [0, 4, 8] as const;

/**
 * The version of the tor program, e.g. `0.4.9.11`.
 * @throws TOR_MISSING, TOR_TOO_OLD; the signal's reason
 */
export async function torVersion(binary: string, options: AbortOptions = {}): Promise<string> {
  const { signal } = options;
  const { stdout } = await run(binary, ["--version"], { env: childEnvironment(), signal }).catch(
    (error: unknown) => {
      signal?.throwIfAborted();
      throw torMissing(binary, error);
    },
  );
  const version = /^Tor version (\d+(?:\.\d+)+)/m.exec(stdout)?.[1];
  if (version === undefined) throw torMissing(binary);
  const found = version.split(".").map(Number);
  const i = LEAST.findIndex((least, at) => found[at] !== least);
  if (i >= 0 && (found[i] ?? 0) < LEAST[i]!) throw torTooOld(version);
  return version;
}
