import { rm } from "node:fs/promises";
import type { Abortable } from "../../async/abort.ts";
import type { JobJournal } from "../../ports/journal.ts";
import type { SandboxTask, TaskRun } from "../../ports/sandbox.ts";
import type { JobId } from "../../protocol/ids.ts";
import { type Metrics, readMetrics } from "../../protocol/task/metrics-log.ts";
import type { Spec } from "../../protocol/task/spec.ts";
import type { WorkerContext } from "../context.ts";
import { jobFolder } from "../shared/job-folder.ts";
import { noteIfPossible } from "../shared/note.ts";
import { keepLog } from "./log-keeper.ts";

/** Processes and threads of a task, at most. */
const PIDS = 256;

export interface Measured {
  readonly run: TaskRun;
  readonly metrics: Metrics;
}

/** Every run that one job can have on this machine, each with its own container, step and log. */
export const stages = ["produce", "evaluate", "evaluate-again", "produce-again"] as const;

/**
 * `produce` makes the result (argument 0), `evaluate` loads and measures it (argument 1), `evaluate-again` repeats that
 * to see whether the metric is stable, `produce-again` to see whether a failure is.
 */
export type Stage =
  | { kind: "produce" | "produce-again" }
  | { kind: "evaluate" | "evaluate-again"; resultDir: string };

export interface Task {
  readonly spec: Spec;
  /** Digest of the image. */
  readonly image: string;
  /** Folder that the task sees as /in. */
  readonly input: string;
  readonly stage: Stage;
  readonly gpus: readonly string[];
  readonly logBytes: number;
}

/** Name of a run, and so of its container; `Sandbox.sweep` spares the names that it is given. */
export function runId(role: string, key: string, stage: Stage["kind"]): string {
  return `${role}-${key.slice(2, 34)}-${stage}`;
}

/** One run of a spec's task: what it is given, and the limits that the spec asks for. */
export function taskOf(
  { command, resources }: Spec,
  { id, image, input, stage, gpus, logBytes }: { id: string } & Omit<Task, "spec">,
): SandboxTask {
  return {
    id,
    image,
    command: [...command, "resultDir" in stage ? "1" : "0"],
    inputDir: input,
    ...("resultDir" in stage ? { resultDir: stage.resultDir } : {}),
    limits: {
      cpus: resources.cpus,
      memoryBytes: resources.memory,
      diskBytes: resources.disk,
      wallSeconds: resources.time,
      pids: PIDS,
      logBytes,
    },
    gpus,
  };
}

/** Runs the task of a spec in the sandbox, once: after a crash the same container is found by its name. */
export function runTask(
  { sandbox, reporter }: WorkerContext,
  journal: JobJournal,
  { spec, stage, ...place }: Task,
  { signal }: Abortable,
): Promise<Measured> {
  return journal.step(`run-${stage.kind}`, {
    prepare: () => taskOf(spec, { id: runId(journal.role, journal.key, stage.kind), stage, ...place }),
    act: async (task) => {
      const id = `run-${task.id}`;
      reporter.emit({ kind: "start", id, text: "Running the task in its sandbox" });
      try {
        // Keep the output of a second run out of the live log: it repeats the first.
        const again = stage.kind === "evaluate-again" || stage.kind === "produce-again";
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

/** Folder with the outputs of the job's `produce` run; it exists from the end of the run to `discardRuns`. */
export function outputsOf(
  { sandbox }: WorkerContext,
  { role, key }: JobJournal,
  options: Abortable,
  stage: "produce" | "produce-again" = "produce",
): Promise<string> {
  return sandbox.outputs(runId(role, key, stage), options);
}

/**
 * Frees the containers and disks of a job's runs, of all of them unless told otherwise. Never fails: what cannot be freed now is found by the sweep at the
 * daemon's next start, and the job goes on.
 */
export async function discardRuns(
  { sandbox }: WorkerContext,
  journal: JobJournal,
  which: readonly Stage["kind"][] = stages,
): Promise<void> {
  for (const stage of which) {
    await sandbox.discard(runId(journal.role, journal.key, stage)).catch((error: Error) => {
      noteIfPossible(journal, `the disk of a run could not be freed yet: ${error.message}`);
    });
  }
}

/** Ends a job's work on this machine: frees its runs, removes its files and finishes its undertaking. */
export async function finishWork(
  context: WorkerContext,
  journal: JobJournal,
  result: "done" | "failed",
): Promise<void> {
  await discardRuns(context, journal);
  await removeFiles(context, journal);
  journal.finish(result);
}

/** Removes a job's files on this machine; its undertaking goes on. */
export async function removeFiles(
  { jobsDir }: Pick<WorkerContext, "jobsDir">,
  { role, key }: JobJournal,
): Promise<void> {
  await rm(jobFolder(jobsDir, role, key as JobId).dir, { recursive: true, force: true });
}

/** Why a run was ended before the task ended by itself; undefined when it was not. */
export function cutShort({ run }: Measured): string | undefined {
  if (run.ended === "deadline") return "the task ran out of time";
  if (run.ended === "memory") return "the task ran out of memory";
  if (run.ended === "disk") return "the task wrote more than its disk";
  if (run.ended === "output") return "the task left something in /out that is no plain file or folder";
  if (run.ended === "stopped") return "the run was stopped";
  return undefined;
}

/** Why a run did not succeed, apart from what it printed. */
export function exitFailure(measured: Measured): string | undefined {
  const { exitCode } = measured.run;
  return cutShort(measured) ?? (exitCode === 0 ? undefined : `the task exited with code ${exitCode}`);
}

const CUT = "[the beginning is left out]\n";

/** The end of a log, at most `most` UTF-16 units of it, with a line that says so where that is not all. */
export function endOfLog(log: string, most: number): string {
  if (log.length <= most) return log;
  const room = Math.max(0, most - CUT.length);
  return room === 0 ? "" : `${CUT}${log.slice(-room)}`;
}

/** What the job's runs on this machine printed, in order; of a second run only where it differs. */
export function printed(journal: Pick<JobJournal, "outcome">): string[] {
  const [produced, evaluated, evaluatedAgain, producedAgain] = stages.map(
    (stage) => journal.outcome<Measured>(`run-${stage}`)?.run.log,
  );
  const again = (log: string | undefined, first: string | undefined) => (log === first ? undefined : log);
  return [produced, evaluated, again(evaluatedAgain, evaluated), again(producedAgain, produced)].filter(
    (log) => log !== undefined,
  );
}

/** Why a run yields no measurement, in words for the other party; undefined when it yields one. */
export function runFailure(measured: Measured, metric: string): string | undefined {
  const failed = exitFailure(measured);
  if (failed) return failed;
  if (measured.metrics[metric] === undefined) return `the task printed no metric "${metric}"`;
  return undefined;
}
