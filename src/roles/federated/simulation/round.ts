import {
  chooseGroups,
  type Decision,
  decide,
  type Entry,
  makeNext,
  type OpenDecision,
  stepOf,
} from "../../../protocol/federated/aggregate.ts";
import type { UpdateSource } from "../../../protocol/federated/codec/chunk.ts";
import { openUpdate } from "../../../protocol/federated/codec/update.ts";
import type { FederatedFile } from "../../../protocol/federated/job-file.ts";
import { afterReplays, mayCount, type ReplayFinding } from "../../../protocol/federated/replay.ts";
import { stateCount } from "../../../protocol/federated/server/step.ts";
import type { Gains, Memory, ServerStep, Strategy } from "../../../protocol/federated/strategy.ts";
import { Vector } from "../../../protocol/federated/vector.ts";
import { Random } from "../data/random.ts";
import { encode } from "../encode.ts";
import { cheats } from "./cheats.ts";
import { type Exchange, exchangeOfScores, exchangeOfWeights } from "./exchange.ts";
import { type Actor, sendChange, type TrainingTask, train } from "./provider.ts";
import { gainsOf, type Hidden } from "./seats.ts";

/** What goes from round to round. */
export interface TrialState {
  readonly model: Vector;
  readonly states: readonly Vector[];
  readonly memory: Memory;
  /** The last change of the model. */
  readonly last?: Float64Array;
  readonly actors: readonly Actor[];
}

export interface Rules {
  readonly file: FederatedFile;
  readonly strategy: Strategy;
  readonly server: ServerStep;
  readonly root: Uint32Array;
  /** Public rows, where the strategy is about what models say of them. */
  readonly open: Uint32Array;
  readonly hidden: Hidden;
}

/** What became of one provider's update in a round. */
export interface Outcome {
  readonly actor: Actor;
  /** The update as it arrived; absent where none did. */
  readonly sent?: Uint8Array;
  readonly gains?: Gains;
  /** Accuracy of model + update on the hidden rows, in millionths. */
  readonly accuracy: number;
  /** True: it is in the aggregate. */
  readonly taken: boolean;
  /** The strategy's weight; 0 outside. */
  readonly weight: number;
  /** What the replay found, where there was one. */
  readonly audit?: ReplayFinding;
  /** What it is paid by, in millionths; 0 outside. */
  readonly worth: number;
}

export interface RoundResult {
  readonly standing: TrialState;
  readonly outcomes: readonly Outcome[];
}

interface Sent {
  readonly actor: Actor;
  readonly bytes: Uint8Array;
  readonly update: UpdateSource;
  readonly residual?: Vector;
}

/** Plays one round: train, measure, decide, replay, aggregate. */
export async function playRound(task: TrainingTask, before: TrialState, rules: Rules): Promise<RoundResult> {
  const { strategy, file, server } = rules;
  const { epochs = 1 } = { ...strategy.settings, ...file.settings };
  const exchange = strategy.labels
    ? exchangeOfScores(task, rules.open, epochs)
    : exchangeOfWeights(task, before.model);
  const sent = collect(task, before, file, exchange);
  const gains = strategy.needs.includes("gains")
    ? gainsOf(
        task,
        sent.map(({ actor: { rows }, update }) => ({ rows, update })),
      )
    : [];
  const root = strategy.needs.includes("root") ? rootUpdate(task, rules.root, exchange) : undefined;
  const decision = decide({
    strategy,
    settings: file.settings,
    server,
    entries: sent.map(({ actor, update }, i) => ({
      account: actor.account,
      rows: Math.max(1, actor.rows.length),
      update,
      ...(gains[i] !== undefined && { gains: gains[i] }),
    })),
    ...(root !== undefined && { root }),
    memory: before.memory,
  });
  const audits = audit(task, sent, decision, { file, exchange });
  const judged = afterReplays<Entry, OpenDecision>(decision, audits, file.update === "int8");
  const apply = (taken: readonly number[]) => {
    const { base } = exchange;
    const [next, states] = [new Vector(base.length), emptyStates(server, base.length)];
    const vectors = { model: base, states: before.states, next, nextStates: states };
    makeNext(stepOf(judged, taken), judged.updates, vectors);
    return { model: exchange.modelOf(next), states };
  };
  const onRoot = (weights: Float64Array) => {
    task.network.load(weights);
    return task.network.measure(task.samples, rules.root).accuracy;
  };
  const taken = await chooseGroups(judged, onRoot(task.model), (group) =>
    onRoot(apply(group).model.toNumbers()),
  );
  const { model, states } = apply(taken);
  const accuracies = sent.map(({ update }) => exchange.accuracyOf(update, rules.hidden));
  const outcomes = before.actors.map((actor): Outcome => {
    const at = sent.findIndex((one) => one.actor === actor);
    if (at < 0) return { actor, accuracy: 0, taken: false, weight: 0, worth: 0 };
    const inside = taken.includes(at);
    const found = audits.get(at);
    const paid = mayCount(found) && (inside || file.share === "accuracy");
    return {
      actor,
      sent: sent[at]!.bytes,
      ...(gains[at] !== undefined && { gains: gains[at] }),
      accuracy: accuracies[at]!,
      taken: inside,
      weight: inside ? judged.plan.weights[at]! : 0,
      ...(found !== undefined && { audit: found }),
      worth: paid ? accuracies[at]! : 0,
    };
  });
  const last = model.units.map((units, i) => (units - before.model.units[i]!) / 2 ** 24);
  const actors = before.actors.map((actor) => {
    const residual = sent.find((one) => one.actor === actor)?.residual;
    return residual === undefined ? actor : { ...actor, residual };
  });
  return {
    standing: { model, states, memory: { ...before.memory, ...judged.plan.memory }, last, actors },
    outcomes,
  };
}

export function emptyStates(server: ServerStep, length: number): Vector[] {
  return Array.from({ length: stateCount(server) }, () => new Vector(length));
}

/** Updates that arrive and can be opened, in the order of the actors, which is that of their addresses. */
function collect(
  task: TrainingTask,
  { actors, last }: TrialState,
  file: FederatedFile,
  { base, express }: Exchange,
): Sent[] {
  const changes = new Map(
    actors
      .filter(({ bad }) => bad === undefined)
      .map((actor) => [actor, train(task, actor.name, actor.rows)]),
  );
  const honest = [...changes.values()];
  const knowledge = { task, honest, ...(last !== undefined && { last }) };
  return actors.flatMap((actor) => {
    const own = changes.get(actor);
    const other = actor.bad === undefined ? undefined : cheats[actor.bad](actor, knowledge);
    if (own === undefined && other === undefined) return [];
    // A cheat neither clips what it sends nor adds noise.
    const { bytes, residual } =
      own !== undefined
        ? sendChange(express(own), actor, task, file)
        : encode(express(other!), file.update, actor.residual);
    const update = openUpdate(bytes, base.length);
    return [{ actor, bytes, update, ...(residual !== undefined && { residual }) }];
  });
}

function rootUpdate(task: TrainingTask, rows: Uint32Array, { base, express }: Exchange): UpdateSource {
  const { bytes } = encode(express(train(task, "root", rows)), "int8");
  return openUpdate(bytes, base.length);
}

/** Replays those that the strategy suspects and some by chance, and compares what they sent byte by byte. */
function audit(
  task: TrainingTask,
  sent: readonly Sent[],
  { plan }: Decision,
  { file, exchange }: { readonly file: FederatedFile; readonly exchange: Exchange },
): Map<number, ReplayFinding> {
  if (file.audit === "off") return new Map();
  const random = new Random(`audit ${task.seed} ${task.round}`);
  const drawn = random.shuffle([...sent.keys()]).slice(0, file.audit);
  return new Map(
    [...new Set([...plan.suspects, ...drawn])].map((at) => {
      const { actor, bytes } = sent[at]!;
      const change = exchange.express(train(task, actor.name, actor.rows));
      const replayed = sendChange(change, actor, task, file).bytes;
      return [at, replayed.every((byte, i) => byte === bytes[i]) ? "clean" : "proven"] as const;
    }),
  );
}
