import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The user and group `nobody`: some other person on this machine. */
export const NOBODY = 65_534;

export interface Attempt {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program as `nobody`, with nothing of our environment; never throws for what the program does. */
export async function asNobody(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Attempt> {
  const who = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--inh-caps=-all", "--"];
  try {
    const { stdout, stderr } = await run("setpriv", [...who, ...command], {
      cwd: "/",
      env: { PATH: process.env.PATH ?? "", ...env },
      maxBuffer: 1 << 26,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    if (typeof code !== "number") throw error;
    return { code, stdout, stderr };
  }
}
