import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { AbortOptions } from "../../async/abort.ts";
import { IchainError, isAbort } from "../../errors/error.ts";
import { engineDiskFull } from "../engines/faults.ts";

const run = promisify(execFile);

/**
 * Runs a system tool with a fixed environment and returns what it printed. An abort ends the tool, but not the
 * programs that it has started.
 * @throws SANDBOX_UNSUPPORTED when it is not installed or fails
 * @throws SANDBOX_DISK_FULL when it reports a full disk
 */
export async function tool(
  name: string,
  args: readonly string[],
  { signal }: AbortOptions = {},
): Promise<string> {
  try {
    const { stdout } = await run(name, [...args], {
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C" },
      maxBuffer: 1 << 20,
      ...(signal ? { signal } : {}),
    });
    return stdout;
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    const { code: reason, stderr = "" } = cause as { code?: unknown; stderr?: string };
    if (/No space left on device/.test(stderr)) throw engineDiskFull(cause);
    const lastLine = stderr.trim().split("\n").at(-1)?.slice(0, 300);
    throw new IchainError(
      "SANDBOX_UNSUPPORTED",
      reason === "ENOENT"
        ? `The tool ${name} is not installed.`
        : `${name} failed: ${lastLine || String(reason)}.`,
      {
        hint: "The sandbox needs root, loop devices and the packages util-linux, mount and e2fsprogs on this machine.",
        cause,
      },
    );
  }
}
