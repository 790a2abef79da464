import type { Limits, TaskRun } from "../../ports/sandbox.ts";
import type { ContainerState } from "../engines/engine.ts";
import type { EndedBy } from "./supervise.ts";

const SIGKILLED = 137;
/** What `timeout` inside the container ends with when it was the one to end the task. */
const TIMED_OUT = new Set([124, SIGKILLED, 143]);

/** Why an ended container ended, before its outputs have been looked at. Pure. */
export function exitReasonOf(
  state: ContainerState,
  seen: { limits: Limits; by: EndedBy; diskFull: boolean; peakMemoryBytes: number },
): TaskRun["ended"] {
  const { limits } = seen;
  const wallSeconds = (state.finishedAt - state.startedAt) / 1000;
  if (seen.by !== "itself") return seen.by;
  // A sandbox with a kernel of its own dies as a whole and its engine does not tell; the peak does.
  const starved = state.exitCode === SIGKILLED && seen.peakMemoryBytes >= limits.memoryBytes * 0.98;
  if (state.exitCode !== 0 && (state.outOfMemory || starved)) return "memory";
  if (seen.diskFull) return "disk";
  if (TIMED_OUT.has(state.exitCode) && wallSeconds >= limits.wallSeconds) return "deadline";
  return "exit";
}
