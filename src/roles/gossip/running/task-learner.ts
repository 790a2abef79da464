import { randomInt } from "node:crypto";
import { cp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import type { Abortable } from "../../../async/abort.ts";
import { IchainError } from "../../../errors/error.ts";
import type { Sandbox, TaskRun } from "../../../ports/sandbox.ts";
import { MEASURED_FILE, MODEL_FILE, ROUND_FILES } from "../../../protocol/federated/market/spec.ts";
import { type Model, readModel, writeModel } from "../../../protocol/federated/model-file.ts";
import type { GossipPeerFile } from "../../../protocol/gossip/peer-file.ts";
import { readBounded } from "../../federated/market/read-bounded.ts";
import { everyRow, loadRows, rowsFile } from "../../federated/market/requester/round/rows.ts";

const PIDS = 256;
const LOG_BYTES = 1 << 20;
/** Of a model's file beyond its values, and of what measuring leaves. */
const MORE_BYTES = 16 << 20;
const SET = "test";

const name = z.string().max(80);
const measuredSchema = z.record(name, z.object({ [SET]: z.object({ acc: z.number().min(0).max(1) }) }));

export interface TaskLearnerOptions {
  readonly sandbox: Sandbox;
  readonly file: GossipPeerFile;
  /** Where `file` lies: what it names is relative to it. */
  readonly folder: string;
  /** Folder that the task sees as /in. */
  readonly input: string;
  /** Digest of the image. */
  readonly image: string;
  readonly gpus: readonly string[];
  /** The peer's own rows, as a folder that tasks may read. */
  readonly dataDir: string | undefined;
}

/** Writes a model as safetensors to this path; false where there is none any more. */
export type MeasuredFile = (path: string) => Promise<boolean>;

/** Trains and measures models by the task of the gossip.yaml, in the sandbox, one run at a time. */
export class TaskLearner {
  readonly #options: TaskLearnerOptions;
  /** That measure. */
  readonly rows: number;
  #runs = 0;
  /** Of all runs so far. */
  cpuSeconds = 0;

  private constructor(options: TaskLearnerOptions, rows: number) {
    this.#options = options;
    this.rows = rows;
  }

  /** @throws DATA_UNREADABLE, DATA_INVALID */
  static async open(options: TaskLearnerOptions, { signal }: Abortable): Promise<TaskLearner> {
    const { sandbox, file, folder, input } = options;
    await rm(input, { recursive: true, force: true });
    await mkdir(join(input, "sets"), { recursive: true, mode: 0o700 });
    for (const path of file.inputs) {
      if ((ROUND_FILES as readonly string[]).includes(basename(path)) || basename(path) === "data")
        throw new IchainError(
          "GOSSIP_PEER_INVALID",
          `The input ${path} has a name that tasks get another file by.`,
        );
      await cp(resolve(folder, path), join(input, basename(path)), { recursive: true }).catch(
        (cause: unknown) => {
          throw new IchainError("DATA_UNREADABLE", `The input ${path} cannot be read.`, { cause });
        },
      );
    }
    if (options.dataDir !== undefined) await mkdir(join(input, "data"));
    const rows = await loadRows(folder, file.test);
    await writeFile(join(input, "sets", `${SET}.safetensors`), rowsFile(rows, everyRow(rows)));
    // What a process before left running: it would be in the way of the same names.
    await sandbox.sweep(new Set(), { signal });
    return new TaskLearner(options, rows.labels.length);
  }

  /** @throws FEDERATED_TASK_FAILED, MODEL_INVALID and the codes of reading safetensors */
  async train(model: Model, round: number, options: Abortable): Promise<Model> {
    const { input, file } = this.#options;
    const given = writeModel(model);
    const facts = { round, rounds: round, seed: randomInt(2 ** 32), local: file.local };
    await writeFile(join(input, MODEL_FILE), given);
    await writeFile(join(input, "round.json"), `${JSON.stringify(facts)}\n`);
    const trained = await this.#run("0", options, async (outputs) =>
      readModel(await readBounded(join(outputs, MODEL_FILE), given.length + MORE_BYTES)),
    );
    if (JSON.stringify(trained.layout) !== JSON.stringify(model.layout))
      throw new IchainError("MODEL_INVALID", "The task left a model with other tensors than it was given.");
    return trained;
  }

  /**
   * Accuracy, from 0 to 1, of each model on the peer's rows for measuring: files by names, accuracies by the same. One
   * that was removed meanwhile is not measured.
   * @throws FEDERATED_TASK_FAILED
   */
  async measure(
    models: ReadonlyMap<string, MeasuredFile>,
    options: Abortable,
  ): Promise<ReadonlyMap<string, number>> {
    const folder = join(this.#options.input, "models");
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    for (const [each, write] of models) await write(join(folder, `${each}.safetensors`));
    const text = await this.#run("1", options, async (outputs) =>
      new TextDecoder().decode(await readBounded(join(outputs, MEASURED_FILE), MORE_BYTES)),
    );
    const found = parseMeasured(text);
    const given = (await readdir(folder)).map((each) => each.slice(0, -".safetensors".length));
    return new Map(
      given.map((each) => {
        const acc = found[each]?.[SET]?.acc;
        if (acc === undefined) throw failed(`it did not measure the model ${each}`);
        return [each, acc];
      }),
    );
  }

  /** The files that are in the data folder now; a change of them is what `fresh` waits for. */
  async rowsSeen(): Promise<string> {
    const { dataDir } = this.#options;
    return dataDir === undefined ? "" : (await readdir(dataDir)).sort().join("\n");
  }

  async #run<T>(
    argument: "0" | "1",
    { signal }: Abortable,
    use: (outputs: string) => Promise<T>,
  ): Promise<T> {
    const { sandbox, file, input, image, gpus, dataDir } = this.#options;
    const { cpus, memory, disk, time } = file.resources;
    const id = `gossip-${++this.#runs}`;
    try {
      const run = await sandbox.run(
        {
          ...{ id, image, command: [...file.command, argument], inputDir: input, gpus },
          ...(dataDir !== undefined && { dataDir }),
          limits: {
            ...{ cpus, memoryBytes: memory, diskBytes: disk, wallSeconds: time },
            ...{ pids: PIDS, logBytes: LOG_BYTES },
          },
        },
        { signal },
      );
      this.cpuSeconds += run.cpuSeconds;
      if (run.ended !== "exit" || run.exitCode !== 0) throw failed(endOf(run), run.log.slice(-4096));
      return await use(await sandbox.outputs(id, { signal }));
    } finally {
      await sandbox.discard(id).catch(() => undefined);
    }
  }
}

function endOf({ ended, exitCode, log }: TaskRun): string {
  const last = log.trimEnd().split("\n").at(-1)?.slice(-200) ?? "";
  if (ended !== "exit") return `it was ended (${ended})`;
  return `it exited with code ${exitCode}${last === "" ? "" : `, and its last line was "${last}"`}`;
}

function parseMeasured(text: string): z.output<typeof measuredSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw failed(`what it left in ${MEASURED_FILE} is not JSON`, undefined, cause);
  }
  const { data, error } = measuredSchema.safeParse(value);
  if (error)
    throw failed(`what it left in ${MEASURED_FILE} has something else at ${error.issues[0]?.path.join(".")}`);
  return data as z.output<typeof measuredSchema>;
}

function failed(why: string, log?: string, cause?: unknown): IchainError {
  return new IchainError("FEDERATED_TASK_FAILED", `The task failed: ${why}.`, {
    cause,
    ...(log !== undefined && { details: { log } }),
  });
}
