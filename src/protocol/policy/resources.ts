import type { Windows } from "../job/terms.ts";
import { bytesText } from "../quantity.ts";
import type { Spec } from "../task/spec.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** Least windows that the contract takes, seconds (`contracts/libraries/Schedule.sol`). */
export const contractWindows: Windows = {
  run: 60,
  appoint: 300,
  commit: 300,
  reveal: 300,
  claim: 300,
  challenge: 300,
  appeal: 300,
};
/** Most that a window's 24 bits hold, seconds. */
export const MOST_WINDOW = 2 ** 24 - 1;

/** Least that a task can start with; below these an engine itself would refuse or kill it. */
export const leastTask = {
  cpus: 0.01,
  memoryBytes: 16 * 2 ** 20,
  diskBytes: 2 ** 16,
  wallSeconds: 1,
  pids: 4,
  logBytes: 2 ** 12,
} as const;

/** Bytes of a command with a byte behind each word. */
export const MOST_COMMAND_BYTES = 2 ** 16;
/** The argument that says which run it is: one character, and the byte behind it. */
const STAGE_BYTES = 2;

/** What no sandbox can run, whatever the machine: the same bounds that `src/sandbox/` holds a task against. */
export function refuseLimits({
  resources,
  command,
}: Pick<Spec, "resources" | "command">): Refusal | undefined {
  const { cpus, memory, disk, time } = resources;
  if (cpus < leastTask.cpus)
    return refuse("CPUS_TOO_FEW", `it asks for ${cpus} CPUs; a task needs ${leastTask.cpus}`, {
      field: "resources.cpus",
      value: String(leastTask.cpus),
    });
  if (memory < leastTask.memoryBytes)
    return refuse("MEMORY_TOO_SMALL", `it asks for ${memory} bytes of memory; a task needs more`, {
      field: "resources.memory",
      value: bytesText(leastTask.memoryBytes),
    });
  if (disk < leastTask.diskBytes)
    return refuse("DISK_TOO_SMALL", `it asks for ${disk} bytes of disk; a task needs more`, {
      field: "resources.disk",
      value: bytesText(leastTask.diskBytes),
    });
  if (time < leastTask.wallSeconds)
    return refuse("TIME_TOO_SHORT", "it leaves a run no time", {
      field: "resources.time",
      value: `${leastTask.wallSeconds}s`,
    });
  const problem = commandProblem(command, MOST_COMMAND_BYTES - STAGE_BYTES);
  return problem === undefined ? undefined : refuse("COMMAND_INVALID", `its ${problem}`);
}

/** What keeps words from being a command; undefined when nothing does. */
export function commandProblem(words: readonly string[], mostBytes = MOST_COMMAND_BYTES): string | undefined {
  if (words.length === 0 || words[0] === "") return "command is empty";
  const encoder = new TextEncoder();
  const bytes = words.reduce((sum, word) => sum + encoder.encode(word).length + 1, 0);
  if (bytes > mostBytes) return "command is too long";
  return words.some((word) => word.includes("\0")) ? "command contains a NUL" : undefined;
}

/** Left free on a disk by whatever a job brings, so that journal, index and logs can still be written. */
const RESERVE_BYTES = 256 * 2 ** 20;

/**
 * Whether a job fits on the disk: the bundle as it comes and unpacked, what the task may write, and that
 * once more as the packed result. Before the bundle is here its spec, and so `diskBytes`, is not known.
 */
export function roomFor({
  freeBytes,
  bundleBytes,
  diskBytes = 0,
}: {
  freeBytes: number;
  bundleBytes: number;
  diskBytes?: number;
}): boolean {
  return 2 * bundleBytes + 2 * diskBytes + RESERVE_BYTES <= freeBytes;
}
