import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../../async/abort.ts";
import { IchainError } from "../../../../../errors/error.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import { decodeUpdate, openUpdate } from "../../../../../protocol/federated/codec/update.ts";
import { modelDigest } from "../../../../../protocol/federated/digest.ts";
import {
  MODEL_FILE,
  PUBLIC_FILE,
  SCORES_FILE,
  updateLengthOf,
} from "../../../../../protocol/federated/market/spec.ts";
import { readModel, writeModel } from "../../../../../protocol/federated/model-file.ts";
import { stateCount } from "../../../../../protocol/federated/server/step.ts";
import { strategyOf } from "../../../../../protocol/federated/strategies.ts";
import type { Memory } from "../../../../../protocol/federated/strategy.ts";
import { Vector } from "../../../../../protocol/federated/vector.ts";
import type { WorkerContext } from "../../../../context.ts";
import { readVector, writeVector } from "../../../aggregation/vector-file.ts";
import { serverStep } from "../../../server-step.ts";
import { readBounded } from "../../read-bounded.ts";
import { discardRun, runOnce, scoresLeft } from "../../train.ts";
import { type Aggregated, type ArrivedUpdate, digestBefore, type RoundPlace } from "./aggregate.ts";
import { measureModels } from "./measure.ts";
import { everyRow, type Rows, rowsFile, unlabelledFile } from "./rows.ts";

const MODEL = "model";
const HIDDEN = "hidden";
const MILLION = 1e6;
/** Of a safetensors file beyond its values. */
const HEADER_BYTES = 16 << 20;

/**
 * As `aggregateRound`, of updates that say how the scores of public rows changed: combines these exactly, and has the job's
 * task train the next model to give them.
 */
export async function aggregateScores(
  context: WorkerContext,
  journal: JobJournal,
  place: RoundPlace,
  {
    round,
    updates,
    memory,
  }: { readonly round: number; readonly updates: readonly ArrivedUpdate[]; readonly memory: Memory },
  options: Abortable,
): Promise<Aggregated> {
  const { draft, files, tasks, aggregation, test } = place;
  const { federated } = draft.file;
  const { scores } = draft.spec.federated;
  const length = updateLengthOf(draft.spec.federated);
  const strategy = strategyOf(federated.strategy)!;
  const server = serverStep(federated, strategy);
  const states = Array.from({ length: stateCount(server) }, (_, i) => i);
  if (round === 1) for (const i of states) writeVector(files.state(1, i), new Vector(length));
  if (!existsSync(files.scores(round))) await distil(context, journal, place, { round: round - 1 }, options);
  if (updates.length === 0) {
    await copyFile(files.model(round), files.model(round + 1));
    await copyFile(files.scores(round), files.scores(round + 1));
    for (const i of states) await copyFile(files.state(round, i), files.state(round + 1, i));
    return { digest: digestBefore(journal, draft, round), memory, before: undefined, members: [] };
  }
  const { layout } = draft;
  const vector = readVector(files.model(round), draft.spec.federated.parameters);
  const measured = await measureModels(
    context,
    journal,
    tasks,
    {
      name: `measure-${round}`,
      models: new Map([[MODEL, () => writeModel({ layout, vector })]]),
      sets: new Map([[HIDDEN, rowsFile(test, everyRow(test))]]),
    },
    options,
  );
  const base = readVector(files.scores(round), length).toNumbers();
  const accuracies = new Map<string, number>();
  for (const { account, path } of updates) {
    const change = decodeUpdate(openUpdate(await readFile(path), length));
    const said = change.map((value, i) => base[i]! + value);
    accuracies.set(account, accuracyOf(said, place.open!, scores!.classes));
  }
  const members = updates.map(({ account, place: at, path }) => ({
    ...{ account, path, rows: Math.max(1, place.parts[at]!.length) },
  }));
  const target = `${files.tried}-target`;
  const combined = {
    ...{ length, members, layout: [{ name: "scores", shape: [scores!.rows, scores!.classes] }] },
    ...{ model: files.scores(round), next: target },
    states: states.map((i) => files.state(round, i)),
    nextStates: states.map((i) => files.state(round + 1, i)),
  };
  const rules = { strategy, settings: federated.settings, server, memory };
  const decision = await aggregation.decide(rules, combined);
  const taken = decision.plan.groups[0] ?? [];
  await aggregation.makeNext(decision, taken, combined);
  const digest = await distil(context, journal, place, { round, target }, options);
  await rm(target, { force: true });
  return {
    ...{ digest, before: measured[MODEL]![HIDDEN] },
    memory: { ...memory, ...decision.plan.memory },
    members: updates.map(({ account }) => {
      const entry = decision.entries.findIndex((one) => one.account === account);
      const isTaken = taken.includes(entry);
      return {
        ...{ account, taken: isTaken, accuracy: accuracies.get(account)! },
        weight: isTaken ? decision.plan.weights[entry]! : 0,
      };
    }),
  };
}

/** How many public rows have their own label as the highest score, in millionths. */
export function accuracyOf(said: Float64Array, { labels }: Pick<Rows, "labels">, classes: number): number {
  let right = 0;
  for (const [row, label] of labels.entries()) {
    const own = said.subarray(row * classes, (row + 1) * classes);
    if (own.indexOf(Math.max(...own)) === label) right += 1;
  }
  return Math.round((right / Math.max(1, labels.length)) * MILLION);
}

/**
 * Has the job's task train the round's model to say `target` of the public rows, and keeps the next model with what it
 * says; without `target`, before round 1, it only says what the first model does. Resolves with the model's digest.
 */
async function distil(
  context: WorkerContext,
  journal: JobJournal,
  { draft, files, tasks, open }: RoundPlace,
  { round, target }: { readonly round: number; readonly target?: string },
  options: Abortable,
) {
  const { layout, spec, file } = draft;
  const { parameters, scores, rounds, local } = spec.federated;
  const from = Math.max(1, round);
  const name = `distil-${round}`;
  const given = writeModel({ layout, vector: readVector(files.model(from), parameters) });
  if (journal.intent(`run-${name}`) === undefined) {
    const { epochs = 1 } = { ...strategyOf(file.federated.strategy)!.settings, ...file.federated.settings };
    const facts = { round: from, rounds, seed: round, local: { ...local, epochs } };
    await writeFile(join(tasks.input, MODEL_FILE), given);
    await writeFile(join(tasks.input, PUBLIC_FILE), unlabelledFile(open!));
    await writeFile(join(tasks.input, "round.json"), `${JSON.stringify(facts)}\n`);
    await rm(join(tasks.input, SCORES_FILE), { force: true });
    if (target !== undefined) {
      const vector = readVector(target, updateLengthOf(spec.federated));
      const wanted = [{ name: "target", shape: [scores!.rows, scores!.classes] }];
      await writeFile(join(tasks.input, SCORES_FILE), writeModel({ layout: wanted, vector }));
    }
  }
  const what = target === undefined ? "Scoring the public rows" : `Distilling round ${round}`;
  const digest = await journal.step(name, {
    prepare: () => null,
    act: async () => {
      const { outputs } = await runOnce(context, journal, tasks, { name, argument: "2", what }, options);
      const [said] = await scoresLeft(outputs, scores!, ["after"]);
      const left = readModel(await readBounded(join(outputs, MODEL_FILE), given.length + HEADER_BYTES));
      if (JSON.stringify(left.layout) !== JSON.stringify(layout))
        throw new IchainError("MODEL_INVALID", "The task left a model with other tensors than it was given.");
      writeVector(files.scores(round + 1), Vector.fromNumbers(said!));
      if (target !== undefined) writeVector(files.model(round + 1), left.vector);
      return modelDigest(createHash("sha256"), layout, left.vector);
    },
  });
  await discardRun(context, journal, name);
  return digest;
}
