import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Abortable } from "../../../../../async/abort.ts";
import { IchainError } from "../../../../../errors/error.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import { MEASURED_FILE } from "../../../../../protocol/federated/market/spec.ts";
import type { WorkerContext } from "../../../../context.ts";
import { readBounded } from "../../read-bounded.ts";
import { discardRun, runOnce, type TaskPlace } from "../../train.ts";

const MAX_BYTES = 16 << 20;
const name = z.string().max(64);
const measuredSchema = z.record(
  name,
  z.record(name, z.object({ acc: z.number().min(0).max(1), loss: z.number().min(-1e9).max(1e9) })),
);

/** Accuracy (0 to 1) and loss of a model on a set, by their names. */
export type ModelMeasurements = z.infer<typeof measuredSchema>;

/**
 * Has the job's task measure each model on each set, in this machine's sandbox.
 * @throws FEDERATED_TASK_FAILED where it does not, or leaves one of them out
 */
export async function measureModels(
  context: WorkerContext,
  journal: JobJournal,
  place: TaskPlace,
  request: {
    readonly name: string;
    /** Made one after the other: a large one need not be in memory with the others. */
    readonly models: ReadonlyMap<string, () => Uint8Array>;
    readonly sets: ReadonlyMap<string, Uint8Array>;
  },
  options: Abortable,
): Promise<ModelMeasurements> {
  const known = journal.outcome<ModelMeasurements>(request.name);
  if (known !== undefined) return known;
  const [models, sets] = [join(place.input, "models"), join(place.input, "sets")];
  if (journal.intent(`run-${request.name}`) === undefined) {
    for (const folder of [models, sets]) {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
    }
    for (const [each, make] of request.models) await writeFile(join(models, `${each}.safetensors`), make());
    for (const [each, bytes] of request.sets) await writeFile(join(sets, `${each}.safetensors`), bytes);
  }
  const run = { name: request.name, argument: "1", what: "Measuring the updates" } as const;
  const measured = await journal.step(request.name, {
    prepare: () => null,
    act: async () => {
      const { outputs } = await runOnce(context, journal, place, run, options);
      return parsed(await readBounded(join(outputs, MEASURED_FILE), MAX_BYTES), request);
    },
  });
  await discardRun(context, journal, request.name);
  return measured;
}

function parsed(
  bytes: Uint8Array,
  { models, sets }: { models: ReadonlyMap<string, unknown>; sets: ReadonlyMap<string, unknown> },
): ModelMeasurements {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw wrong("is not JSON", cause);
  }
  const { data, error } = measuredSchema.safeParse(value);
  if (error) throw wrong(`has something else at ${error.issues[0]?.path.join(".")}`);
  for (const model of models.keys())
    for (const set of sets.keys())
      if (data[model]?.[set] === undefined) throw wrong(`lacks the model ${model} on the set ${set}`);
  return data;
}

function wrong(why: string, cause?: unknown): IchainError {
  return new IchainError("FEDERATED_TASK_FAILED", `What the task left in ${MEASURED_FILE} ${why}.`, {
    cause,
  });
}
