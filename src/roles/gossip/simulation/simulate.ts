import { createHash } from "node:crypto";
import { toHex } from "../../../protocol/bytes.ts";
import { packWeights, unpackWeights } from "../../../protocol/gossip/packed-model.ts";
import type { GossipMessage } from "../../../protocol/gossip/peer/messages.ts";
import type { Effect, Kept } from "../../../protocol/gossip/peer/state.ts";
import type { FinalBlock } from "../../../protocol/gossip/records/block.ts";
import type { AveragingRule } from "../../../protocol/gossip/rules/rule.ts";
import type { GossipSimulationFile } from "../../../protocol/gossip/simulation-file.ts";
import type { Address, Hex } from "../../../protocol/ids.ts";
import type { TrialData } from "../../federated/data/samples.ts";
import { modelFile } from "../model-file.ts";
import { makeNodes, nextTraining, type SimulatedNode, type SimulatedWorld } from "./nodes.ts";
import type { Topology } from "./topology.ts";

/** How a network stands at a tick. */
export interface NetworkSample {
  readonly tick: number;
  /** Mean of the honest peers that train, on the hidden rows. */
  readonly accuracy: number;
  /** Of each peer. */
  readonly accuracies: readonly number[];
  /** Of each tensor: how far the peers' sums of weights are apart, the paper's equation 5. */
  readonly difference: readonly number[];
}

export interface SimulationOptions {
  readonly topology: Topology;
  readonly rule: AveragingRule;
  /** Takes what each node would keep on its disk; with it all records are signed. */
  readonly keep?: (node: number, kept: readonly Kept[]) => void;
  /** Takes each model as it travels, packed or as a safetensors file, by its SHA-256, which is then what its transaction names. */
  readonly keepModel?: (model: Hex, file: Uint8Array) => void;
  readonly signal?: AbortSignal;
}

/** Ticks between two looks for models that no peer needs any more. */
const TIDY = 50;
/** Hidden rows that a sample is measured on, at most. */
const MEASURED = 1000;

/** A network of peers in one process: records and rules are those of real peers, messages take no time. */
export class GossipSimulation {
  readonly world: SimulatedWorld;
  readonly #file: GossipSimulationFile;
  readonly #data: TrialData;
  readonly #keep: SimulationOptions["keep"];
  readonly #keepModel: SimulationOptions["keepModel"];
  readonly #signal: AbortSignal | undefined;
  readonly #nodes: ReadonlyMap<Address, SimulatedNode>;
  readonly #models = new Map<Hex, Float32Array>();
  readonly #blocks: FinalBlock[][];
  readonly #queue: { readonly from: Address; readonly to: Address; readonly message: GossipMessage }[] = [];
  #messages = 0;
  #refused = 0;
  #handed = 0;
  #bytes = 0;

  constructor(
    file: GossipSimulationFile,
    data: TrialData,
    { topology, rule, keep, keepModel, signal }: SimulationOptions,
  ) {
    this.world = makeNodes(file, data, { topology, rule, signed: keep !== undefined });
    this.#file = file;
    this.#data = data;
    this.#keep = keep;
    this.#keepModel = keepModel;
    this.#signal = signal;
    this.#nodes = new Map(this.world.nodes.map((node) => [node.peer.account, node]));
    this.#blocks = this.world.nodes.map(() => []);
  }

  /** Messages that were sent, and passed over by who got them; models that one peer got from another, and their bytes. */
  get traffic(): Record<"messages" | "refused" | "models" | "bytes", number> {
    const [messages, refused, models] = [this.#messages, this.#refused, this.#handed];
    return { messages, refused, models, bytes: this.#bytes };
  }

  /** Finished blocks of each node. */
  get blocks(): readonly (readonly FinalBlock[])[] {
    return this.#blocks;
  }

  /** Plays all ticks; a sample every so often, and one at the end. */
  *play(): Generator<NetworkSample> {
    const { ticks, sample, interval } = this.#file.simulation;
    for (const node of this.world.nodes) this.#drawRows(node);
    for (let tick = 1; tick <= ticks; tick++) {
      this.#signal?.throwIfAborted();
      for (const node of this.world.nodes) {
        if (tick >= node.trainsAt) {
          node.trainsAt = nextTraining(tick, interval, node.random);
          node.learner.train(this.world);
          for (const model of node.learner.models()) this.#publish(node, model, tick);
        }
        this.#act(node, node.peer.tick(tick), tick);
        this.#deliver(tick);
      }
      if (tick % TIDY === 0) this.#tidy();
      if (tick % sample === 0 || tick === ticks) yield this.#sample(tick);
    }
  }

  #publish(node: SimulatedNode, weights: Float32Array, tick: number): void {
    const { bytes, arrives } = this.#packed(weights);
    const model = toHex(createHash("sha256").update(bytes).digest());
    this.#keepModel?.(model, bytes);
    this.#models.set(model, arrives);
    this.#act(node, node.peer.publish({ model, bytes: bytes.length }, tick), tick);
  }

  /** A model as it travels, and as those that get it have it. */
  #packed(weights: Float32Array): { readonly bytes: Uint8Array; readonly arrives: Float32Array } {
    if (this.#file.simulation.compressed !== undefined) {
      const bytes = packWeights(weights);
      return { bytes, arrives: Float32Array.from(unpackWeights(bytes, weights.length)) };
    }
    const { buffer, byteOffset, byteLength } = weights;
    const isKept = this.#keepModel !== undefined;
    const bytes = isKept
      ? modelFile(this.world.genesis.layout, weights)
      : new Uint8Array(buffer, byteOffset, byteLength);
    return { bytes, arrives: weights };
  }

  #deliver(tick: number): void {
    for (let at = 0; at < this.#queue.length; at++) {
      const { from, to, message } = this.#queue[at]!;
      const node = this.#nodes.get(to)!;
      this.#act(node, node.peer.receive(from, message, tick), tick);
    }
    this.#queue.length = 0;
  }

  #act(node: SimulatedNode, effects: readonly Effect[], tick: number): void {
    const kept = effects.flatMap((effect) => (effect.kind === "keep" ? [effect.kept] : []));
    if (kept.length > 0) this.#keepAll(node, kept);
    for (const effect of effects) {
      switch (effect.kind) {
        case "send":
          this.#messages += effect.to.length;
          for (const to of effect.to) {
            this.#queue.push({ from: node.peer.account, to, message: effect.message });
          }
          break;
        case "measure":
          this.#measure(node, effect, tick);
          break;
        case "average":
          this.#average(node);
          break;
        case "refused":
          this.#refused += 1;
      }
    }
  }

  #keepAll(node: SimulatedNode, kept: readonly Kept[]): void {
    for (const one of kept) if (one.kind === "final") this.#blocks[node.at]!.push(one.final);
    this.#keep?.(node.at, kept);
  }

  #measure(
    node: SimulatedNode,
    { transaction, model, bytes }: { transaction: Hex; model: Hex; bytes: number },
    tick: number,
  ): void {
    this.#handed += 1;
    this.#bytes += bytes;
    const weights = this.#models.get(model)!;
    const accuracy = this.#accuracyOf(weights, node.rows);
    node.learner.see(weights, accuracy);
    this.#act(node, node.peer.measured(transaction, accuracy, tick), tick);
  }

  #average(node: SimulatedNode): void {
    const { averaging, effects } = node.peer.average({
      accuracy: this.#accuracyOf(node.learner.weights, node.rows),
      rows: node.rows.length,
      distanceTo: (model) => node.learner.distanceTo(this.#models.get(model)!),
    });
    node.learner.take(
      averaging.own,
      averaging.received.map(({ share, model }) => ({ share, weights: this.#models.get(model)! })),
    );
    node.averagings += 1;
    this.#drawRows(node);
    this.#act(node, effects, 0);
  }

  #accuracyOf(weights: Float32Array, rows: Uint32Array): number {
    this.world.network.load(weights);
    return this.world.network.measure(this.#data.test, rows).accuracy;
  }

  #drawRows(node: SimulatedNode): void {
    const { hidden } = this.#data;
    const { test } = this.#file.simulation;
    node.rows = Uint32Array.from({ length: test }, () => hidden[node.random.below(hidden.length)]!);
  }

  #tidy(): void {
    const needed = new Set(this.world.nodes.flatMap(({ peer }) => [...peer.models]));
    for (const model of this.#models.keys()) if (!needed.has(model)) this.#models.delete(model);
  }

  #sample(tick: number): NetworkSample {
    const rows = this.#data.hidden.subarray(0, MEASURED);
    const accuracies = this.world.nodes.map(({ learner }) => this.#accuracyOf(learner.weights, rows));
    const honest = accuracies.filter((_, at) => this.world.nodes[at]!.plays === "honest");
    return {
      tick,
      accuracy: honest.reduce((sum, one) => sum + one, 0) / honest.length,
      accuracies,
      difference: differenceOf(this.world),
    };
  }
}

function differenceOf({ nodes, genesis }: SimulatedWorld): number[] {
  let from = 0;
  return genesis.layout.map(({ shape }) => {
    const size = shape.reduce((product, one) => product * one, 1);
    const sums = nodes.map(({ learner }) => {
      let sum = 0;
      for (let i = from; i < from + size; i++) sum += learner.weights[i]!;
      return sum;
    });
    from += size;
    const steps = sums.map((sum, at) => Math.abs(sum - sums.at(at - 1)!));
    return steps.reduce((total, step) => total + step, 0) / nodes.length;
  });
}
