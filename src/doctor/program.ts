import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Abortable } from "../async/abort.ts";
import { childEnvironment } from "../config.ts";

const execute = promisify(execFile);

/** The first line that `program` prints with `args`; undefined when it cannot be run. */
export async function firstLineOf(
  program: string,
  args: readonly string[],
  options: Abortable,
): Promise<string | undefined> {
  try {
    const { stdout } = await execute(program, [...args], {
      env: childEnvironment(),
      signal: options.signal,
      timeout: 10_000,
      maxBuffer: 65_536,
    });
    return stdout.split("\n", 1)[0]!.trim();
  } catch {
    options.signal.throwIfAborted();
    return undefined;
  }
}

/** Compares dotted versions by their numbers: negative when `a` is older than `b`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  for (let at = 0; at < Math.max(left!.length, right!.length); at++) {
    const difference = (left![at] ?? 0) - (right![at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
