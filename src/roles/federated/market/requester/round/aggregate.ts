import { copyFile, readFile, writeFile } from "node:fs/promises";
import type { Abortable } from "../../../../../async/abort.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import { chooseGroups } from "../../../../../protocol/federated/aggregate.ts";
import { decodeUpdate, openUpdate } from "../../../../../protocol/federated/codec/update.ts";
import { writeModel } from "../../../../../protocol/federated/model-file.ts";
import { afterReplays, type ReplayFinding } from "../../../../../protocol/federated/replay.ts";
import { stateCount } from "../../../../../protocol/federated/server/step.ts";
import { strategyOf } from "../../../../../protocol/federated/strategies.ts";
import type { Gains, Memory } from "../../../../../protocol/federated/strategy.ts";
import { Vector } from "../../../../../protocol/federated/vector.ts";
import type { Address, Hex } from "../../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../../context.ts";
import type { FileAggregation } from "../../../aggregation/aggregate-files.ts";
import { readVector, writeVector } from "../../../aggregation/vector-file.ts";
import type { Partition } from "../../../data/partition.ts";
import { Random } from "../../../data/random.ts";
import { encode } from "../../../encode.ts";
import { serverStep } from "../../../server-step.ts";
import { discardRun, type TaskPlace, trainRound } from "../../train.ts";
import type { RoundBasis } from "../draft.ts";
import type { LeadFiles } from "../files.ts";
import { contributionsOf } from "./left-out.ts";
import { type ModelMeasurements, measureModels } from "./measure.ts";
import { measurePool, settlePool } from "./pool.ts";
import { everyRow, type Rows, rowsFile } from "./rows.ts";

/** Rows of its own part, and of all others' together, that an update is measured on. */
const OWN = 200;
const OTHERS = 225;
const MILLION = 1e6;
const BASE = "model";
const HIDDEN = "hidden";
const ROOT = "root";
const LAST_MEASURED = "measure-last";

/** A member's update, as it lies in a file here. */
export interface ArrivedUpdate {
  readonly account: Address;
  /** Its place among the members: names its part. */
  readonly place: number;
  readonly path: string;
}

export interface RoundPlace {
  readonly draft: RoundBasis;
  readonly files: LeadFiles;
  readonly tasks: TaskPlace;
  readonly aggregation: FileAggregation;
  /** Undefined where providers have data of their own; then `parts` are empty. */
  readonly train: Rows | undefined;
  readonly test: Rows;
  readonly root: Rows | undefined;
  /** Public rows, of distillation. */
  readonly open: Rows | undefined;
  readonly parts: Partition;
  /** All providers, in the order in which they enlisted. */
  readonly members: readonly Address[];
}

/** What measuring an update gave: all that a machine's floats can change about a round. */
export interface UpdateMeasurement {
  readonly account: Address;
  /** Of model + update on the hidden rows, in millionths. */
  readonly accuracy: number;
  readonly gains?: Gains | undefined;
}

export interface RoundMeasurements {
  /** Of the round's own model on the hidden rows. */
  readonly before: { readonly acc: number; readonly loss: number };
  /** In the order of the updates. */
  readonly members: readonly UpdateMeasurement[];
}

export interface Aggregated {
  /** Digest of the next model. */
  readonly digest: Hex;
  readonly memory: Memory;
  /** Of the round's own model on the hidden rows; undefined where no update arrived. */
  readonly before: RoundMeasurements["before"] | undefined;
  /** Of each update, in the order given. */
  readonly members: readonly (UpdateMeasurement & {
    /** In the mean; 0 outside. */
    readonly weight: number;
    readonly taken: boolean;
    /** By leaving it out, smoothed; with `share: left-out` alone. */
    readonly contribution?: number;
    /** What a replay of the training found, where there was one. */
    readonly audit?: ReplayFinding | undefined;
  })[];
}

export interface RoundRequest {
  readonly round: number;
  /** Digest of the model that the round begins with. */
  readonly parent: Hex;
  readonly updates: readonly ArrivedUpdate[];
  readonly memory: Memory;
  /** Names its steps and runs; the round's number unless given. */
  readonly tag?: string;
  /** Where the next model and states go; those of the next round unless given. */
  readonly next?: { readonly model: string; readonly states: readonly string[] };
  /** Compares what was measured here with what another party says, and resolves with what counts. */
  readonly agree?: (measured: RoundMeasurements) => RoundMeasurements;
  /** A file with the root update, where another party made it. */
  readonly root?: string;
  /** Replays updates: those that the strategy suspects, and others. */
  readonly replay?: (suspects: readonly ArrivedUpdate[]) => Promise<ReadonlyMap<Address, ReplayFinding>>;
}

/**
 * Makes the next round's model of the updates: measures them in the sandbox, decides by the job's strategy, and writes
 * model and states of round `round` + 1. The same updates give the same model, after a crash as well.
 */
export async function aggregateRound(
  context: WorkerContext,
  journal: JobJournal,
  place: RoundPlace,
  request: RoundRequest,
  options: Abortable,
): Promise<Aggregated> {
  const { round, updates, memory, parent, tag = String(round) } = request;
  if (place.draft.spec.federated.gossip !== undefined)
    return await settlePool(context, journal, place, { ...request, tag }, options);
  const { files, tasks, aggregation } = place;
  const { federated } = place.draft.file;
  const ground = await groundOf(place, request);
  const { length, states, next, modelOf } = ground;
  if (updates.length === 0) {
    await copyFile(files.model(round), next.model);
    for (const i of states) await copyFile(files.state(round, i), next.states[i]!);
    return { digest: parent, memory, before: undefined, members: [] };
  }
  const { base, own } = await measureRound(context, journal, place, { ...request, tag, ground }, options);
  const counted = request.agree?.(own) ?? own;
  const { decided, made } = await decideRound(
    context,
    journal,
    place,
    { ...request, ground, counted },
    options,
  );
  const suspects = decided.plan.suspects.map((at) => decided.entries[at]!.account);
  const findings =
    (await request.replay?.(updates.filter(({ account }) => suspects.includes(account)))) ?? new Map();
  const found = new Map(decided.entries.map(({ account }, at) => [at, findings.get(account)]));
  const decision = afterReplays(decided, found, federated.update === "int8");
  const tried = { ...made, next: files.tried, nextStates: states.map((i) => `${files.tried}-${i}`) };
  let tries = 0;
  const taken = await chooseGroups(decision, base[place.root ? ROOT : HIDDEN]!.acc, async (group) => {
    await aggregation.makeNext(decision, group, tried);
    const name = `try-${tag}-${tries++}`;
    const models = new Map([[BASE, () => modelOf(readVector(files.tried, length))]]);
    const sets = new Map([[ROOT, ground.sets.get(ROOT) ?? ground.sets.get(HIDDEN)!]]);
    return (await measureModels(context, journal, tasks, { name, models, sets }, options))[BASE]![ROOT]!.acc;
  });
  const digest = await aggregation.makeNext(decision, taken, made);
  const worth =
    federated.share === "left-out"
      ? await contributionsOf(context, journal, place, { round, decision, taken, made, memory }, options)
      : undefined;
  return {
    ...{ digest, before: counted.before },
    memory: { ...memory, ...decision.plan.memory, ...worth?.memory },
    members: counted.members.map((one) => {
      const entry = decision.entries.findIndex(({ account }) => account === one.account);
      const isTaken = taken.includes(entry);
      const audit = findings.get(one.account);
      return {
        ...{ ...one, taken: isTaken },
        weight: isTaken ? decision.plan.weights[entry]! : 0,
        ...(audit && { audit }),
        ...(worth && { contribution: worth.contributions.get(one.account.toLowerCase()) ?? 0 }),
      };
    }),
  };
}

/**
 * What this machine finds of a round's updates before it makes anything of them: measures them, and replays those that the
 * strategy suspects by these figures. `aggregateRound` with the same `tag` takes its runs up again.
 */
export async function findFigures(
  context: WorkerContext,
  journal: JobJournal,
  place: RoundPlace,
  request: Omit<RoundRequest, "agree" | "root" | "parent" | "tag"> & { readonly tag: string },
  options: Abortable,
): Promise<{
  readonly measured: RoundMeasurements;
  readonly findings: ReadonlyMap<Address, ReplayFinding>;
}> {
  if (place.draft.spec.federated.gossip !== undefined) {
    const { measured } = await measurePool(context, journal, place, request, options);
    return { measured, findings: new Map() };
  }
  const ground = await groundOf(place, request);
  const { own } = await measureRound(context, journal, place, { ...request, ground }, options);
  if (request.replay === undefined) return { measured: own, findings: new Map() };
  const { decided } = await decideRound(
    context,
    journal,
    place,
    { ...request, ground, counted: own },
    options,
  );
  const suspects = decided.plan.suspects.map((at) => decided.entries[at]!.account);
  const findings = await request.replay(request.updates.filter(({ account }) => suspects.includes(account)));
  return { measured: own, findings };
}

/** What a round's updates are measured and combined with. */
type Ground = Awaited<ReturnType<typeof groundOf>>;

async function groundOf(
  place: RoundPlace,
  { round, updates, next }: Pick<RoundRequest, "round" | "updates" | "next">,
) {
  const { draft, files } = place;
  const { layout } = draft;
  const strategy = strategyOf(draft.file.federated.strategy)!;
  const server = serverStep(draft.file.federated, strategy);
  const length = draft.spec.federated.parameters;
  const vector = readVector(files.model(round), length);
  const states = Array.from({ length: stateCount(server) }, (_, i) => i);
  if (round === 1) for (const i of states) writeVector(files.state(1, i), new Vector(length));
  const modelOf = (of: Vector) => writeModel({ layout, vector: of });
  const withUpdate = async (path: string) => {
    const bytes = await readFile(path);
    return () => {
      const next = new Vector(length);
      const change = Vector.fromNumbers(decodeUpdate(openUpdate(bytes, length)));
      for (let i = 0; i < length; i++) next.units[i] = vector.units[i]! + change.units[i]!;
      return modelOf(next);
    };
  };
  const models = new Map<string, () => Uint8Array>([[BASE, () => modelOf(vector)]]);
  for (const { place: at, path } of updates) models.set(`update-${at}`, await withUpdate(path));
  const wantsGains = strategy.needs.includes("gains");
  const sets = new Map([[HIDDEN, rowsFile(place.test, everyRow(place.test))]]);
  if (place.root) sets.set(ROOT, rowsFile(place.root, everyRow(place.root)));
  if (wantsGains) for (const [name, bytes] of ownSets(place, updates, round)) sets.set(name, bytes);
  return {
    ...{ strategy, server, length, vector, states, models, sets, wantsGains, modelOf },
    next: next ?? {
      model: files.model(round + 1),
      states: states.map((i) => files.state(round + 1, i)),
    },
  };
}

async function measureRound(
  context: WorkerContext,
  journal: JobJournal,
  { tasks }: RoundPlace,
  {
    updates,
    tag,
    ground: { models, sets, wantsGains },
  }: { readonly updates: readonly ArrivedUpdate[]; readonly tag: string; readonly ground: Ground },
  options: Abortable,
): Promise<{ readonly base: ModelMeasurements[string]; readonly own: RoundMeasurements }> {
  const request = { name: `measure-${tag}`, models, sets };
  const measured = await measureModels(context, journal, tasks, request, options);
  const base = measured[BASE]!;
  const members = updates.map(({ account, place: at }) => ({
    ...{ account, accuracy: millionths(measured[`update-${at}`]![HIDDEN]!.acc) },
    ...(wantsGains && { gains: gainsOf(measured, updates, at) }),
  }));
  return { base, own: { before: base[HIDDEN]!, members } };
}

/** What the strategy decides by these measurements, and the files that the next model is made of. */
async function decideRound(
  context: WorkerContext,
  journal: JobJournal,
  place: RoundPlace,
  {
    round,
    updates,
    memory,
    root: given,
    ground: { strategy, server, length, vector, states, next, wantsGains },
    counted,
  }: Pick<RoundRequest, "round" | "updates" | "memory" | "root"> & {
    readonly ground: Ground;
    readonly counted: RoundMeasurements;
  },
  options: Abortable,
) {
  const { draft, files, aggregation } = place;
  const root = strategy.needs.includes("root")
    ? (given ?? (await rootUpdate(context, journal, place, { round, vector }, options)))
    : undefined;
  const members = updates.map(({ account, place: at, path }, i) => ({
    ...{ account, path, rows: Math.max(1, place.parts[at]!.length) },
    ...(wantsGains && { gains: counted.members[i]!.gains! }),
  }));
  const made = {
    ...{ length, layout: draft.layout, members, model: files.model(round) },
    states: states.map((i) => files.state(round, i)),
    ...{ next: next.model, nextStates: next.states },
    ...(root !== undefined && { root }),
  };
  const { settings } = draft.file.federated;
  return { decided: await aggregation.decide({ strategy, settings, server, memory }, made), made };
}

/** Accuracy and loss of the model that round `round` would begin with, on the hidden rows; once. */
export async function measureLast(
  context: WorkerContext,
  journal: JobJournal,
  { draft, files, tasks, test }: RoundPlace,
  round: number,
  options: Abortable,
): Promise<{ readonly acc: number; readonly loss: number }> {
  const vector = readVector(files.model(round), draft.spec.federated.parameters);
  const models = new Map([[BASE, () => writeModel({ layout: draft.layout, vector })]]);
  const sets = new Map([[HIDDEN, rowsFile(test, everyRow(test))]]);
  const measured = await measureModels(
    context,
    journal,
    tasks,
    { name: LAST_MEASURED, models, sets },
    options,
  );
  return measured[BASE]![HIDDEN]!;
}

/** What `measureLast` found, as the journal has it; undefined before. */
export function lastMeasured(
  journal: JobJournal,
): { readonly acc: number; readonly loss: number } | undefined {
  return journal.outcome<ModelMeasurements>(LAST_MEASURED)?.[BASE]?.[HIDDEN];
}

/** The digest of the model that round `round` begins with. */
export function digestBefore(journal: JobJournal, draft: RoundBasis, round: number): Hex {
  if (round === 1) return draft.spec.federated.start;
  return journal.outcome<{ digest: Hex }>(`aggregate-${round - 1}`)!.digest;
}

/** Rows of each member's part, drawn for the round: `own-N` up to 200, `few-N` fewer, which others are measured on. */
function ownSets(
  { train, parts, draft }: RoundPlace,
  updates: readonly ArrivedUpdate[],
  round: number,
): [string, Uint8Array][] {
  const random = new Random(`seats ${draft.seed} ${round}`);
  const each = Math.ceil(OTHERS / Math.max(1, updates.length - 1));
  return updates.flatMap(({ place }): [string, Uint8Array][] => {
    const rows = random.shuffle(parts[place]!.slice()).subarray(0, OWN);
    return [
      [`own-${place}`, rowsFile(train!, rows)],
      [`few-${place}`, rowsFile(train!, rows.subarray(0, each))],
    ];
  });
}

/** How much an update lowers the loss on its own rows and on the others'. */
function gainsOf(measured: ModelMeasurements, updates: readonly ArrivedUpdate[], place: number): Gains {
  const gain = (set: string) => measured[BASE]![set]!.loss - measured[`update-${place}`]![set]!.loss;
  const others = updates.filter((one) => one.place !== place).map((one) => gain(`few-${one.place}`));
  const mean = others.reduce((sum, one) => sum + one, 0) / Math.max(1, others.length);
  return { own: millionths(gain(`own-${place}`)), others: millionths(mean) };
}

/** What the requester's own rows make of the model, as an update in a file. */
export async function rootUpdate(
  context: WorkerContext,
  journal: JobJournal,
  { draft, files, tasks, root }: RoundPlace,
  { round, vector }: { readonly round: number; readonly vector: Vector },
  options: Abortable,
): Promise<string> {
  const { spec, layout } = draft;
  const part = rowsFile(root!, everyRow(root!));
  const name = `root-${round}`;
  const facts = { round, rounds: spec.federated.rounds, seed: round, local: spec.federated.local };
  const made = await journal.step(name, {
    prepare: () => files.rootUpdate(round),
    act: async (path) => {
      const training = { name, model: { layout, vector }, facts, part };
      const { change } = await trainRound(context, journal, tasks, training, options);
      await writeFile(path, encode(change, "int8").bytes);
      return path;
    },
  });
  await discardRun(context, journal, name);
  return made;
}

function millionths(value: number): number {
  return Math.round(Math.max(-1e3, Math.min(1e3, value)) * MILLION);
}
