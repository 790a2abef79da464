import { IchainError, isIchainError } from "../../errors/error.ts";
import type { Limits, SandboxTask, TaskRun } from "../../ports/sandbox.ts";
import { MAX_DEPTH, MAX_FILES } from "../../protocol/limits.ts";
import { neutralise } from "../../protocol/neutralise.ts";
import type { ContainerState } from "../engines/engine.ts";
import { inspectOutputs } from "../outputs/inspect.ts";
import { produces, type RunContext } from "./context.ts";
import type { BoundedLog } from "./logs.ts";
import { type RunRecord, writeRecord } from "./record.ts";
import type { EndedBy } from "./supervise.ts";
import { type Usage, usageGroup } from "./usage.ts";

const SIGKILLED = 137;
const SIGTERMED = 143;
/** Exit codes of `timeout` (coreutils) when it has ended the task. */
const TIMED_OUT = new Set([124, SIGKILLED, SIGTERMED]);
/** Of a container that an engine ended with itself: when it was stopped, and, seen after a power cut, without any signal. */
const CUT_OFF = new Set([SIGKILLED, SIGTERMED, 255]);

export interface Ended {
  readonly name: string;
  readonly home: string;
  readonly limits: Limits;
  readonly log: BoundedLog;
  readonly by: EndedBy;
  readonly signal: AbortSignal | undefined;
  readonly sampled: Usage | undefined;
  /** `ended` where the container was found ended; `again` where the run was cut off before. */
  readonly attempt: "first" | "ended" | "again";
}

/**
 * Finds out why the container ended, checks its outputs, and records the result. Undefined for a run that nobody here
 * ended and that may have ended with its engine: it is to be made once more, because it says nothing of the task.
 * @throws RUN_LOST when the container does not exist any more
 */
export async function finish(
  context: RunContext,
  task: SandboxTask,
  at: Ended,
): Promise<RunRecord | undefined> {
  const { engine, info } = context;
  const { name, home, limits, log, signal } = at;
  const state = await engine.inspect(name, { signal });
  if (state === undefined) throw lost(task.id);
  const used = (await usageGroup(name, info)?.read()) ?? at.sampled ?? { cpuSeconds: 0, peakMemoryBytes: 0 };
  // The group around the container also counts the memory in which the runtime started it.
  const usage = { ...used, peakMemoryBytes: Math.min(used.peakMemoryBytes, limits.memoryBytes) };
  const out = context.outSpace(home);
  const diskFull = produces(task) && (await out.isFull(limits.diskBytes));
  let ended = exitReasonOf(state, { limits, by: at.by, diskFull, peakMemoryBytes: usage.peakMemoryBytes });
  if (ended === "exit" && isCutOff(state.exitCode, at.attempt)) return undefined;
  let refusal = "";
  let outputs: RunRecord["outputs"];
  if (ended === "exit" && state.exitCode === 0 && produces(task)) {
    try {
      await engine.fetch?.(name, { signal });
      const bounds = { maxBytes: limits.diskBytes, maxFiles: MAX_FILES, maxDepth: MAX_DEPTH };
      outputs = await inspectOutputs(out.dir, bounds, { signal });
    } catch (error) {
      if (!isIchainError(error) || error.class !== "untrusted") throw error;
      ended = error.code === "OUTPUT_TOO_LARGE" ? "disk" : "output";
      refusal = neutralise(`\n${error.message}\n`);
    }
  }
  const run: TaskRun = {
    exitCode: state.exitCode,
    ended,
    log: log.text() + refusal,
    logTruncated: log.truncated,
    wallSeconds: Math.max(0, state.finishedAt - state.startedAt) / 1000,
    ...usage,
  };
  const record = { run, outputs };
  await writeRecord(home, record);
  return record;
}

function isCutOff(exitCode: number, attempt: Ended["attempt"]): boolean {
  // A task's own -1 is 255 too.
  return CUT_OFF.has(exitCode) && attempt !== "again" && (exitCode < 255 || attempt === "ended");
}

/** Why a container ended, before its outputs have been checked. Pure. */
function exitReasonOf(
  state: ContainerState,
  observed: { limits: Limits; by: EndedBy; diskFull: boolean; peakMemoryBytes: number },
): TaskRun["ended"] {
  const { limits } = observed;
  const wallSeconds = (state.finishedAt - state.startedAt) / 1000;
  if (observed.by !== "itself") return observed.by;
  // A runtime with its own kernel is killed as a whole, which its engine does not report. Infer it from the peak.
  const starved = state.exitCode === SIGKILLED && observed.peakMemoryBytes >= limits.memoryBytes * 0.98;
  if (state.exitCode !== 0 && (state.outOfMemory || starved)) return "memory";
  if (observed.diskFull) return "disk";
  if (TIMED_OUT.has(state.exitCode) && wallSeconds >= limits.wallSeconds) return "deadline";
  return "exit";
}

function lost(id: string): IchainError {
  return new IchainError("RUN_LOST", `The container of the run ${id} was removed by another program.`);
}
