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
  return (await outputOf(program, args, options))?.split("\n", 1)[0]?.trim();
}

/** What `program` prints with `args`, at most 64 KiB; undefined when it cannot be run, fails, or takes too long. */
export async function outputOf(
  program: string,
  args: readonly string[],
  { signal, env = childEnvironment(), timeoutMs = 10_000 }: Abortable & ProgramOptions,
): Promise<string | undefined> {
  try {
    const limits = { timeout: timeoutMs, maxBuffer: 65_536 };
    const { stdout } = await execute(program, [...args], { env, signal, ...limits });
    return stdout;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

interface ProgramOptions {
  readonly env?: Record<string, string>;
  readonly timeoutMs?: number;
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
