import type { Abortable } from "../../async/abort.ts";
import type { JobJournal } from "../../ports/journal.ts";
import type { SandboxTask, TaskRun } from "../../ports/sandbox.ts";
import { type Metrics, readMetrics } from "../../protocol/task/metrics-log.ts";
import type { Spec } from "../../protocol/task/spec.ts";
import type { WorkerContext } from "../context.ts";
import { noteIfPossible } from "../shared/note.ts";
import { keepLog } from "./log-keeper.ts";

const PIDS = 256;

export interface Measured {
  readonly run: TaskRun;
  readonly metrics: Metrics;
}

/** Every run that one job can have here, each with a container, a step and a log of its own. */
export const stages = ["produce", "evaluate", "evaluate-again"] as const;

/**
 * `produce` runs the task fully (argument 0); `evaluate` loads a result and measures it (argument 1), and
 * `evaluate-again` does the very same once more, to see whether the metric is stable.
 */
export type Stage = { kind: "produce" } | { kind: "evaluate" | "evaluate-again"; resultDir: string };

/** The one name of a run: of its container, and of what a sweep must leave alone. */
export function runId(role: string, key: string, stage: Stage["kind"]): string {
  return `${role}-${key.slice(2, 34)}-${stage}`;
}

/** Runs the task of a spec in the sandbox, once: a crash in the middle finds the same container again. */
export function runTask(
  { sandbox, reporter }: WorkerContext,
  journal: JobJournal,
  {
    spec,
    image,
    input,
    stage,
    gpus,
    logBytes,
  }: { spec: Spec; image: string; input: string; stage: Stage; gpus: readonly string[]; logBytes: number },
  { signal }: Abortable,
): Promise<Measured> {
  const { resources } = spec;
  return journal.step(`run-${stage.kind}`, {
    prepare: (): SandboxTask => ({
      id: runId(journal.role, journal.key, stage.kind),
      image,
      command: [...spec.command, stage.kind === "produce" ? "0" : "1"],
      inputDir: input,
      ...(stage.kind === "produce" ? {} : { resultDir: stage.resultDir }),
      limits: {
        cpus: resources.cpus,
        memoryBytes: resources.memory,
        diskBytes: resources.disk,
        wallSeconds: resources.time,
        pids: PIDS,
        logBytes,
      },
      gpus,
    }),
    act: async (task) => {
      const id = `run-${task.id}`;
      reporter.emit({ kind: "start", id, text: "Running the task in its sandbox" });
      try {
        // Who follows the task has no use for the same evaluation a second time.
        const again = stage.kind === "evaluate-again";
        using log = again ? undefined : keepLog(journal, stage.kind, { maxChars: task.limits.logBytes });
        const run = await sandbox.run(task, { signal, onLog: (text) => log?.push(text) });
        const seconds = run.wallSeconds.toFixed(1);
        reporter.emit({
          kind: "end",
          id,
          text: `The task ended after ${seconds} s with exit code ${run.exitCode}`,
        });
        return { run, metrics: readMetrics(run.log) };
      } catch (error) {
        reporter.emit({ kind: "fail", id, text: "The task could not be run" });
        throw error;
      }
    },
  });
}

/** Where the outputs of a journal's `produce` lie, from its end to `discardRuns`. */
export function outputsOf(
  { sandbox }: WorkerContext,
  { role, key }: JobJournal,
  options: Abortable,
): Promise<string> {
  return sandbox.outputs(runId(role, key, "produce"), options);
}

/**
 * Gives back what the runs of a journal hold of the machine, when nobody will ask for it any more. Never
 * fails: a job is worth more than a disk, which the next start of the daemon finds.
 */
export async function discardRuns({ sandbox }: WorkerContext, journal: JobJournal): Promise<void> {
  for (const stage of stages) {
    await sandbox.discard(runId(journal.role, journal.key, stage)).catch((error: Error) => {
      noteIfPossible(journal, `a run's space could not be given back yet: ${error.message}`);
    });
  }
}

/** Why a run was cut short, whoever's task it was; undefined when it came to its own end. */
export function cutShort({ run }: Measured): string | undefined {
  if (run.ended === "deadline") return "the task ran out of time";
  if (run.ended === "memory") return "the task ran out of memory";
  if (run.ended === "disk") return "the task wrote more than its disk";
  if (run.ended === "output") return "the task left something in /out that is no plain file or folder";
  if (run.ended === "stopped") return "the run was stopped";
  return undefined;
}

/** Why a run did not succeed, whatever it printed. */
export function exitFailure(measured: Measured): string | undefined {
  const { exitCode } = measured.run;
  return cutShort(measured) ?? (exitCode === 0 ? undefined : `the task exited with code ${exitCode}`);
}

/** Why a run yields no measurement, for the job's other side; undefined when it yields one. */
export function runFailure(measured: Measured, metric: string): string | undefined {
  const failed = exitFailure(measured);
  if (failed) return failed;
  if (measured.metrics[metric] === undefined) return `the task printed no metric "${metric}"`;
  return undefined;
}
