import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { id as hashOf } from "ethers";
import type { Abortable } from "../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { SandboxTask, TaskRun } from "../../../ports/sandbox.ts";
import {
  type FederatedSpec,
  MODEL_FILE,
  PART_FILE,
  SCORES_FILE,
  taskSpecOf,
} from "../../../protocol/federated/market/spec.ts";
import { type Model, readModel, writeModel } from "../../../protocol/federated/model-file.ts";
import type { Address, Hex } from "../../../protocol/ids.ts";
import type { WorkerContext } from "../../context.ts";
import { taskOf } from "../../task/run-task.ts";
import { readBounded } from "./read-bounded.ts";

/** Of a safetensors file beyond its values: names and shapes. */
const HEADER_BYTES = 16 << 20;

/** Before the name of a run, the name of its step. */
const STEP = "run-";

/** Exit codes of a task that was killed or stopped, which an engine that ends does as well. */
const KILLED = new Set([137, 143]);

/** Name of the mount point of own data below /in. */
const OWN_DATA = "data";

/** Where the tasks of a federated job run on this machine. */
export interface TaskPlace {
  readonly spec: FederatedSpec;
  /** Digest of the image. */
  readonly image: string;
  /** Folder with the bundle's files, which becomes /in; what a round adds is written into it. */
  readonly input: string;
  readonly gpus: readonly string[];
  readonly logBytes: number;
  /** The provider's own data, which become /in/data. */
  readonly dataDir?: string | undefined;
}

/** What a task is told of its round, as /in/round.json. */
export interface RoundFacts {
  readonly round: number;
  readonly rounds: number;
  /** Of the training's random numbers. */
  readonly seed: number;
  readonly local: FederatedSpec["federated"]["local"];
}

/** Name of a run, and so of its container. */
export function runName({ role, key }: Pick<JobJournal, "role" | "key">, name: string): string {
  return `${role}-${key.slice(2, 34)}-${name}`;
}

/** Names of all runs of a job that were begun on this machine; `Sandbox.sweep` spares them while the job is not over. */
export function begunRuns(journal: Pick<JobJournal, "role" | "key" | "begun">): string[] {
  return journal.begun(STEP).map((step) => runName(journal, step.slice(STEP.length)));
}

/**
 * Runs one task of the job in the sandbox, once: after a crash the same container is found by its name. A run whose
 * outputs are gone before they were read is made once more: that says nothing of the task.
 * @throws FEDERATED_TASK_FAILED; with `isCutShort` where it did not end by itself
 */
export async function runOnce(
  { sandbox, reporter }: WorkerContext,
  journal: JobJournal,
  { spec, ...place }: TaskPlace,
  {
    name,
    argument,
    what,
  }: { readonly name: string; readonly argument: "0" | "1" | "2"; readonly what: string },
  { signal }: Abortable,
): Promise<{ readonly run: TaskRun; readonly outputs: string }> {
  const id = runName(journal, name);
  const prepare = () => {
    const task = taskOf(taskSpecOf(spec), { id, stage: { kind: "produce" }, ...place });
    const { dataDir } = place;
    return { ...task, ...(dataDir && { dataDir }), command: [...spec.command, argument] };
  };
  const act = async (task: SandboxTask): Promise<TaskRun> => {
    reporter.emit({ kind: "start", id, text: `${what} in its sandbox` });
    try {
      const ended = await sandbox.run(task, { signal });
      // By another process: it is run again, and not the task's fault.
      if (ended.ended === "stopped")
        throw new IchainError("RUN_LOST", "The run was stopped.", { retryable: true });
      reporter.emit({ kind: "end", id, text: `${what}: ${ended.wallSeconds.toFixed(1)} s` });
      return { ...ended, log: ended.log.slice(-4096) };
    } catch (error) {
      reporter.emit({ kind: "fail", id, text: `${what} could not be run` });
      throw error;
    }
  };
  const step = `${STEP}${name}`;
  const first = succeeded(await journal.step(step, { prepare, act }), what);
  try {
    return { run: first, outputs: await sandbox.outputs(id, { signal }) };
  } catch (error) {
    if (!isIchainError(error, "OUTPUTS_LOST")) throw error;
    await sandbox.discard(id);
    const again = succeeded(await act(prepare()), what);
    return { run: again, outputs: await sandbox.outputs(id, { signal }) };
  }
}

/** @throws FEDERATED_TASK_FAILED */
function succeeded(run: TaskRun, what: string): TaskRun {
  const { ended, exitCode, log } = run;
  if (ended === "exit" && exitCode === 0) return run;
  const why = ended === "exit" ? `it exited with code ${exitCode}` : `it was ended (${ended})`;
  const isCutShort = ended !== "exit" || KILLED.has(exitCode);
  throw new IchainError("FEDERATED_TASK_FAILED", `${what} failed: ${why}.`, { details: { log, isCutShort } });
}

/** Frees the container and the disk of a run; what cannot be freed now is found by the sweep at the next start. */
export async function discardRun(
  { sandbox }: WorkerContext,
  journal: JobJournal,
  name: string,
): Promise<void> {
  await sandbox.discard(runName(journal, name)).catch(() => undefined);
}

/**
 * Trains the model on the part that lies in `place.input` and resolves with how its values changed, or of distillation
 * what it says of the public rows.
 * @throws FEDERATED_TASK_FAILED, MODEL_INVALID and the codes of reading safetensors
 */
export async function trainRound(
  context: WorkerContext,
  journal: JobJournal,
  place: TaskPlace,
  {
    name,
    model,
    facts,
    part,
  }: {
    readonly name: string;
    readonly model: Model;
    readonly facts: RoundFacts;
    /** Written beside the model, where it is not there yet. */
    readonly part?: Uint8Array;
  },
  options: Abortable,
): Promise<{ readonly change: Float64Array; readonly seconds: number }> {
  const given = writeModel(model);
  if (place.dataDir !== undefined) await mkdir(join(place.input, OWN_DATA), { recursive: true });
  await writeOnce(join(place.input, MODEL_FILE), given);
  await writeOnce(join(place.input, "round.json"), Buffer.from(`${JSON.stringify(facts)}\n`));
  if (part !== undefined) await writeOnce(join(place.input, PART_FILE), part);
  const what = `Training round ${facts.round}`;
  const { run, outputs } = await runOnce(context, journal, place, { name, argument: "0", what }, options);
  const { scores } = place.spec.federated;
  const wallSeconds = Math.round(run.wallSeconds);
  if (scores !== undefined) {
    const [before, after] = await scoresLeft(outputs, scores, ["before", "after"]);
    return { change: after!.map((value, i) => value - before![i]!), seconds: wallSeconds };
  }
  const file = await readBounded(join(outputs, MODEL_FILE), given.length + HEADER_BYTES);
  const trained = readModel(file);
  if (JSON.stringify(trained.layout) !== JSON.stringify(model.layout))
    throw new IchainError("MODEL_INVALID", "The task left a model with other tensors than it was given.");
  // From the values that the task was given, which are those of the model rounded to F32.
  const change = trained.vector.toNumbers();
  for (const [i, value] of readModel(given).vector.toNumbers().entries()) change[i]! -= value;
  return { change, seconds: wallSeconds };
}

/** Writes a file of a task's input, unless it is there: a run that goes on after a crash may be reading it. */
async function writeOnce(path: string, bytes: Uint8Array): Promise<void> {
  const there = await readFile(path).catch(() => undefined);
  if (there === undefined || !there.equals(bytes)) await writeFile(path, bytes);
}

/**
 * The scores that a run of distillation left under these names, a value a public row and class.
 * @throws MODEL_INVALID and the codes of reading safetensors
 */
export async function scoresLeft(
  outputs: string,
  { rows, classes }: NonNullable<FederatedSpec["federated"]["scores"]>,
  names: readonly string[],
): Promise<readonly Float64Array[]> {
  const bytes = 4 * rows * classes * names.length + HEADER_BYTES;
  const { layout, vector } = readModel(await readBounded(join(outputs, SCORES_FILE), bytes));
  const shape = JSON.stringify([rows, classes]);
  const isRight =
    layout.length === names.length && layout.every((one) => JSON.stringify(one.shape) === shape);
  if (!isRight || names.some((name) => !layout.some((one) => one.name === name)))
    throw new IchainError(
      "MODEL_INVALID",
      `The task left other scores than ${names.join(" and ")}, ${rows} rows of ${classes}.`,
    );
  const values = vector.toNumbers();
  return names.map((name) => {
    const at = layout.findIndex((one) => one.name === name) * rows * classes;
    return values.subarray(at, at + rows * classes);
  });
}

/** A number for the training's random choices, which a replay can derive. */
export function trainingSeed(job: Hex, round: number, account: Address): number {
  return Number.parseInt(hashOf(`${job.toLowerCase()} ${round} ${account.toLowerCase()}`).slice(2, 10), 16);
}
