import type { FederatedFile, TrialFile } from "../../../protocol/federated/job-file.ts";
import { priceRules } from "../../../protocol/federated/pay/price.ts";
import { type Refund, refundOf } from "../../../protocol/federated/pay/refund.ts";
import { sharesOf } from "../../../protocol/federated/pay/shares.ts";
import { epsilonAfter } from "../../../protocol/federated/privacy/rule.ts";
import { strategyOf } from "../../../protocol/federated/strategies.ts";
import { Vector } from "../../../protocol/federated/vector.ts";
import { Random } from "../data/random.ts";
import type { TrialData } from "../data/samples.ts";
import { serverStep } from "../server-step.ts";
import { firstWeights, Network, parametersOf, type Shape } from "./network.ts";
import type { TrainingTask } from "./provider.ts";
import { emptyStates, type Outcome, playRound, type Rules, type TrialState } from "./round.ts";
import { makeWorld } from "./world.ts";

/** A round of a simulation, as it closed. */
export interface PlayedRound {
  /** From 1. */
  readonly round: number;
  /** Of the new model, on all hidden rows. */
  readonly accuracy: number;
  readonly loss: number;
  readonly outcomes: readonly (Outcome & { readonly pay: bigint })[];
  /** Of the whole job. */
  readonly price: bigint;
  /** The round's share of the price that no provider was paid. */
  readonly rest: bigint;
  readonly refunded: boolean;
  /** What became of the money where a proven cheat ended the job. */
  readonly end?: Refund;
  /** ε of the part that most updates were sent of so far; absent without noise. */
  readonly privacy?: { readonly epsilon: number; readonly delta: number };
  readonly model: Vector;
}

/** Rows of a slice of the hidden set, which an update's accuracy is measured on. */
const SLICE = 500;

/** Plays a federated job in this process: strategies, measurements and shares are those of real jobs. */
export async function* simulate(
  file: TrialFile,
  data: TrialData,
  { signal }: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<PlayedRound> {
  const { federated, simulation } = file;
  const { root, open, actors, spares: waiting } = makeWorld(file, data);
  const shape = shapeOf(file, data);
  const seed = String(simulation.seed);
  const strategy = strategyOf(federated.strategy)!;
  const server = serverStep(federated, strategy);
  const { prox = 0 } = { ...strategy.settings, ...federated.settings };
  const local = { ...federated.local, prox: prox / 1000 };
  const model = firstModel(file, data);
  const network = new Network(shape, local.batch);
  let standing: TrialState = {
    model,
    states: emptyStates(server, open.length > 0 ? open.length * shape.classes : model.length),
    memory: {},
    actors,
  };
  const price = priceOfTrial(file, data);
  const turns = standing.actors.map(() => 0);
  let unpaid = price;
  let spares = 0;
  for (let round = 1; round <= federated.rounds; round++) {
    signal?.throwIfAborted();
    const task: TrainingTask = {
      samples: data.train,
      network,
      local,
      model: standing.model.toNumbers(),
      seed,
      round,
    };
    const hidden = { samples: data.test, rows: sliceOf(data.hidden, round) };
    const rules: Rules = { file: federated, strategy, server, root, open, hidden };
    const drawn = drawnFor(standing.actors.length, federated.sample, { seed, round });
    for (const at of drawn) turns[at]! += 1;
    const taking = { ...standing, actors: drawn.map((at) => standing.actors[at]!) };
    const { standing: after, outcomes } = await playRound(task, taking, rules);
    const worth = outcomes.map((one) => BigInt(one.worth));
    const proven = outcomes.filter(({ audit }) => audit === "proven").map(({ actor }) => actor.account);
    const ended = proven.length > 0 && federated.onCheat === "refund";
    const roundPrice = priceOfRound(price, federated.rounds, round);
    const paid = sharesOf(roundPrice, ended ? worth.map(() => 0n) : worth);
    const deposit = weiOf(federated.deposit);
    const depositors = standing.actors.map(({ account }) => ({
      account,
      deposit,
      proven: proven.includes(account),
    }));
    network.load(after.model.toNumbers());
    const measured = network.measure(data.test, data.hidden);
    yield {
      round,
      ...measured,
      outcomes: outcomes.map((one, i) => ({ ...one, pay: paid.shares[i]! })),
      rest: paid.rest,
      price,
      refunded: paid.refunded,
      ...(ended && { end: refundOf(unpaid, depositors) }),
      ...privacyAfter(federated, Math.max(...turns)),
      model: after.model,
    };
    if (ended) return;
    unpaid -= roundPrice;
    const actors = [...standing.actors];
    for (const [i, actor] of after.actors.entries()) {
      actors[drawn[i]!] =
        outcomes[i]!.audit === "proven" ? { ...waiting[spares++]!, rows: actor.rows } : actor;
    }
    standing = { ...after, actors };
  }
}

/** Who takes part in a round: places in ascending order. */
function drawnFor(count: number, share: number, { seed, round }: { seed: string; round: number }): number[] {
  const all = [...Array(count).keys()];
  const drawn = Math.max(2, Math.round(share * count));
  if (drawn >= count) return all;
  return new Random(`sample ${seed} ${round}`)
    .shuffle(all)
    .slice(0, drawn)
    .sort((a, b) => a - b);
}

/** ε in thousandths, rounded up: nothing is promised that does not hold. */
function privacyAfter({ privacy }: FederatedFile, turns: number): Pick<PlayedRound, "privacy"> {
  if (privacy === undefined || privacy.noise === 0) return {};
  const epsilon = Math.ceil(epsilonAfter(privacy, turns) * 1000) / 1000;
  return { privacy: { epsilon, delta: privacy.delta } };
}

export function shapeOf({ simulation }: TrialFile, { train }: TrialData): Shape {
  return { features: train.features, hidden: simulation.hidden, classes: train.classes };
}

/** The model that the first round begins with. */
export function firstModel(file: TrialFile, data: TrialData): Vector {
  const random = new Random(`model ${file.simulation.seed}`);
  return Vector.fromNumbers(firstWeights(shapeOf(file, data), random));
}

/** What the whole job pays: what its file says, or its rule. */
function priceOfTrial(file: TrialFile, data: TrialData): bigint {
  const { pool, local, rounds } = file.federated;
  if (typeof pool === "number") return weiOf(pool);
  return priceRules[pool].price({
    bytes: data.bytes,
    parameters: parametersOf(shapeOf(file, data)),
    rows: data.open.length,
    epochs: local.epochs,
    rounds,
  });
}

/** Coin to its smallest unit, by 10^-9. */
function weiOf(coin: number): bigint {
  return BigInt(Math.round(coin * 1e9)) * 10n ** 9n;
}

/** Equal parts; the last has the remainder. */
function priceOfRound(price: bigint, rounds: number, round: number): bigint {
  const each = price / BigInt(rounds);
  return round < rounds ? each : price - each * BigInt(rounds - 1);
}

function sliceOf(rows: Uint32Array, round: number): Uint32Array {
  const slices = Math.max(1, Math.floor(rows.length / SLICE));
  const at = (round - 1) % slices;
  return slices === 1 ? rows : rows.subarray(at * SLICE, (at + 1) * SLICE);
}
