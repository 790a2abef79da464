import { id, SigningKey } from "ethers";
import { IchainError } from "../../../errors/error.ts";
import type { Layout } from "../../../protocol/federated/digest.ts";
import { type Genesis, genesisDigest } from "../../../protocol/gossip/genesis.ts";
import { GossipPeer } from "../../../protocol/gossip/peer/peer.ts";
import { identityOf, recordChecker, recordSigner } from "../../../protocol/gossip/records/signatures.ts";
import type { AveragingRule } from "../../../protocol/gossip/rules/rule.ts";
import type { AttackKind, GossipSimulationFile } from "../../../protocol/gossip/simulation-file.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { Random } from "../../federated/data/random.ts";
import type { TrialData } from "../../federated/data/samples.ts";
import { firstWeights, layoutOf, Network } from "../../federated/simulation/network.ts";
import { Learner, type LearnerWorld } from "./learner.ts";
import { LENET_FEATURES, lenetLayout, lenetWeights } from "./lenet/layout.ts";
import { LeNet, type Trainable } from "./lenet/lenet.ts";
import { labelShares, noiseSamples, rowsByLabel } from "./stream.ts";
import type { Topology } from "./topology.ts";

/** A peer of a simulation with its model and its chance. */
export interface SimulatedNode {
  readonly at: number;
  readonly plays: AttackKind | "observer" | "honest";
  readonly peer: GossipPeer;
  readonly learner: Learner;
  readonly random: Random;
  /** Tick of its next training. */
  trainsAt: number;
  /** Hidden rows that it measures with until its next averaging. */
  rows: Uint32Array;
  averagings: number;
}

export interface SimulatedWorld extends LearnerWorld {
  readonly genesis: Genesis;
  readonly nodes: readonly SimulatedNode[];
}

/** Rows that a data attacker draws from. */
const NOISE_ROWS = 1024;

/** The kind of network that all nodes have. */
interface NodeModel {
  readonly layout: Genesis["layout"];
  firstWeights(random: Random): Float32Array;
  open(): Trainable;
}

/** @throws GOSSIP_SIMULATION_INVALID where the rows are not of 28 by 28 values */
function modelOfNodes(
  { simulation: { model, hidden, batch } }: GossipSimulationFile,
  { train: { features, classes } }: TrialData,
): NodeModel {
  const shape = { features, hidden, classes };
  const plain = (layout: Layout) => layout.map(({ name, shape: sizes }) => ({ name, shape: [...sizes] }));
  if (model === "perceptron") {
    return {
      layout: plain(layoutOf(shape)),
      firstWeights: (random) => Float32Array.from(firstWeights(shape, random)),
      open: () => new Network(shape, batch),
    };
  }
  if (features !== LENET_FEATURES) {
    const why = `LeNet takes rows of ${LENET_FEATURES} values, and these have ${features}`;
    throw new IchainError("GOSSIP_SIMULATION_INVALID", `The network cannot be made: ${why}.`);
  }
  return {
    layout: plain(lenetLayout(shape)),
    firstWeights: (random) => Float32Array.from(lenetWeights(shape, random)),
    open: () => new LeNet(shape, batch),
  };
}

/**
 * The nodes of a simulation; everything follows from the seed. Unless `signed`, records carry no signatures and none are
 * looked for: nothing in the process would forge one, and they would take most of the time.
 */
export function makeNodes(
  file: GossipSimulationFile,
  data: TrialData,
  { topology, rule, signed }: { topology: Topology; rule: AveragingRule; signed: boolean },
): SimulatedWorld {
  const { seed, batch, optimiser, split, interval, attackers, observers, start } = file.simulation;
  const model = modelOfNodes(file, data);
  const { layout } = model;
  const network = genesisDigest({ name: file.name, layout });
  const byLabel = rowsByLabel(data.train, data.open);
  const keys = topology.map((_, at) => new SigningKey(id(`ichain gossip simulation: peer ${at} ${seed}`)));
  const accounts = keys.map((key) => identityOf(key).account);
  const nodes = topology.map((neighbours, at): SimulatedNode => {
    const random = new Random(`gossip ${seed} ${at}`);
    const observes = observers.includes(at);
    const attack = attackOf(attackers, at);
    const peer = new GossipPeer({
      ...{ genesis: network, settings: file.gossip, rule },
      signer: signed
        ? recordSigner(network, keys[at]!)
        : { identity: identityOf(keys[at]!), sign: () => UNSIGNED },
      checker: signed ? recordChecker(network) : { isSigned: () => true },
    });
    peer.meet(neighbours.map((one) => accounts[one]!));
    const shares = labelShares(split, at, byLabel, random);
    const begins = start === "own" ? `model ${seed} ${at}` : `model ${seed}`;
    const first = model.firstWeights(new Random(begins));
    return {
      ...{ at, peer, random, plays: attack ?? (observes ? "observer" : "honest") },
      learner: new Learner(first, { shares, attack, random }),
      trainsAt: observes ? Number.POSITIVE_INFINITY : nextTraining(0, interval, random),
      ...{ rows: new Uint32Array(), averagings: 0 },
    };
  });
  return {
    genesis: { name: file.name, layout },
    nodes,
    network: model.open(),
    noise: noiseSamples(NOISE_ROWS, data.train, new Random(`noise ${seed}`)),
    ...{ samples: data.train, byLabel, optimiser, batch },
  };
}

const UNSIGNED: Hex = "0x";

function attackOf(
  attackers: GossipSimulationFile["simulation"]["attackers"],
  at: number,
): AttackKind | undefined {
  return (Object.keys(attackers) as AttackKind[]).find((kind) => attackers[kind]?.includes(at));
}

export function nextTraining(tick: number, [least, most]: readonly [number, number], random: Random): number {
  return tick + least + random.below(most - least + 1);
}
