import { leastTask, MAX_COMMAND_BYTES } from "../limits.ts";
import { bytesText } from "../quantity.ts";
import type { Spec } from "../task/spec.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** The argument `0` or `1` that is added for the run, and the byte after it. */
const STAGE_BYTES = 2;

/** Refuses a task that no sandbox can run; `src/sandbox/` checks the same bounds before a run. */
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
  const problem = commandProblem(command, MAX_COMMAND_BYTES - STAGE_BYTES);
  return problem === undefined ? undefined : refuse("COMMAND_INVALID", `its ${problem}`);
}

/** Why words are no command, for people; undefined when they are one. */
export function commandProblem(words: readonly string[], mostBytes = MAX_COMMAND_BYTES): string | undefined {
  if (words.length === 0 || words[0] === "") return "command is empty";
  const encoder = new TextEncoder();
  const bytes = words.reduce((sum, word) => sum + encoder.encode(word).length + 1, 0);
  if (bytes > mostBytes) return "command is too long";
  return words.some((word) => word.includes("\0")) ? "command contains a NUL" : undefined;
}
