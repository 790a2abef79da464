// Plays the networks of paper 003 (10 peers, 4,000 ticks) as `ichain gossip simulate` does, on the 10,000 MNIST digits,
// and prints each cell beside the value of the paper's published data (honest mean, last ten samples); the last line is
// one JSON object. It takes minutes.
//
//   npm run -s sim:gossip -- --data mnist10k.npz   the 24 cells, and ours
//   npm run -s sim:gossip -- --data mnist10k.npz --rules distance-gate --attacks model
//   npm run -s sim:gossip -- --data mnist10k.npz --model lenet --compressed int8
//   npm run -s sim:gossip -- --data mnist10k.npz --ratios    update:train ratios
//   npm run -s sim:gossip -- --data mnist10k.npz --sizes 10,50,200   how it grows
//   npm run -s sim:gossip -- --spread --sizes 40,200   receipts and models, by peers, degree and ttl
//
// Without the file it says so and ends with 0.
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { averagingRuleOf } from "../src/protocol/gossip/rules.ts";
import { gossipSimulationSchema } from "../src/protocol/gossip/simulation-file.ts";
import { loadTrialData } from "../src/roles/federated/data/load.ts";
import { GossipSimulation } from "../src/roles/gossip/simulation/simulate.ts";
import { makeTopology } from "../src/roles/gossip/simulation/topology.ts";

/** Means of the CSV files that the paper's authors published, by rule, attack and split. */
const published: Readonly<Record<string, readonly number[]>> = {
  "half-fedavg none": [0.956, 0.941, 0.809, 0.778],
  "half-fedavg data": [0.948, 0.932, 0.79, 0.689],
  "half-fedavg model": [0.103, 0.099, 0.101, 0.092],
  "reputation-0.05 none": [0.954, 0.943, 0.807, 0.772],
  "reputation-0.05 data": [0.956, 0.939, 0.8, 0.709],
  "reputation-0.05 model": [0.944, 0.211, 0.121, 0.096],
};
const splits = ["iid", "dirichlet 1", "dirichlet 0.1", "labels 2"];
/** Buffers of a full network of ten: the paper's update:train ratios, and its published accuracies (IID). */
const ratios = [
  { buffer: 2, ratio: "4:1", published: 0.975 },
  { buffer: 8, ratio: "1:1", published: 0.956 },
  { buffer: 32, ratio: "1:4", published: 0.93 },
];

const { values } = parseArgs({
  options: {
    data: { type: "string", default: "mnist10k.npz" },
    rules: { type: "string", default: "half-fedavg,reputation-0.05,distance-gate" },
    attacks: { type: "string", default: "none,data,model" },
    splits: { type: "string", default: splits.join() },
    seeds: { type: "string", default: "1" },
    ticks: { type: "string", default: "4000" },
    start: { type: "string", default: "shared" },
    model: { type: "string", default: "perceptron" },
    compressed: { type: "string" },
    ratios: { type: "boolean", default: false },
    sizes: { type: "string" },
    spread: { type: "boolean", default: false },
  },
});
if (values.spread) {
  console.log(JSON.stringify(await spread()));
  process.exit(0);
}
if (!existsSync(values.data)) {
  console.error(`skipped: no file ${values.data}; give one with --data`);
  process.exit(0);
}

interface Cell {
  readonly rule: string;
  readonly attack?: string;
  readonly split?: string;
  readonly gossip?: object;
  readonly simulation?: object;
}

const file = values.data;
const rows = {
  train: { file, rows: "Xtr", labels: "ytr" },
  test: { file, rows: "Xte", labels: "yte" },
  scale: 1 / 255,
};
const fileOf = ({ rule, attack = "none", split = "iid", gossip, simulation }: Cell, seed: string) =>
  gossipSimulationSchema.parse({
    ...{ version: 1, name: "paper", gossip: { rule, ...gossip } },
    simulation: {
      ...{ seed, split, ticks: Number(values.ticks), start: values.start, data: rows },
      ...{ model: values.model, compressed: values.compressed },
      attackers: attack === "none" ? {} : { [attack]: [0] },
      ...simulation,
    },
  });
const loaded = fileOf({ rule: "half-fedavg" }, "1").simulation;
const data = await loadTrialData({ simulation: { ...loaded.data, seed: 1 } }, dirname(values.data));

/** Means over the seeds. */
async function measure(cell: Cell) {
  const runs: { accuracy: number; least: number; ratio: number; cpu: number; bytes: number }[] = [];
  for (const seed of values.seeds.split(",")) {
    const file = fileOf(cell, seed);
    const begun = process.cpuUsage();
    const topology = await makeTopology(file, ".");
    const simulation = new GossipSimulation(file, data, { topology, rule: averagingRuleOf(cell.rule)! });
    const last = [...simulation.play()].slice(-10);
    const { user, system } = process.cpuUsage(begun);
    const honest = simulation.world.nodes.filter(({ plays }) => plays === "honest");
    const accounts = new Set(honest.map(({ peer }) => peer.account));
    const opinions = honest.flatMap(({ peer }) =>
      [...peer.reputations].filter(([account]) => accounts.has(account)).map(([, value]) => value),
    );
    runs.push({
      accuracy: last.reduce((sum, one) => sum + one.accuracy, 0) / last.length,
      least: Math.min(1, ...opinions),
      ratio:
        honest.reduce((sum, one) => sum + one.averagings, 0) /
        honest.reduce((sum, one) => sum + one.learner.trainings, 0),
      cpu: (user + system) / 1e6,
      bytes: simulation.traffic.bytes / simulation.traffic.models,
    });
  }
  const mean = (pick: (run: (typeof runs)[number]) => number) =>
    Number((runs.reduce((sum, run) => sum + pick(run), 0) / runs.length).toFixed(3));
  return {
    accuracy: mean((run) => run.accuracy),
    leastHonestReputation: Number(Math.min(...runs.map(({ least }) => least)).toFixed(3)),
    updatesPerTraining: mean((run) => run.ratio),
    cpuSeconds: mean((run) => run.cpu),
    bytesOfAModel: mean((run) => run.bytes),
  };
}

const results: Record<string, unknown> = {};
if (values.ratios) {
  for (const { buffer, ratio, published: paper } of ratios) {
    const found = await measure({
      rule: "reputation-0.05",
      gossip: { buffer },
      simulation: { topology: "full", observers: [0] },
    });
    results[ratio] = { ...found, published: paper };
    console.error(`${ratio}  ${found.accuracy.toFixed(3)}  published ${paper}`);
  }
} else if (values.sizes !== undefined) {
  for (const size of values.sizes.split(",")) {
    const nodes = Number(size);
    const found = await measure({ rule: "distance-gate", simulation: { nodes, topology: "random 2" } });
    results[size] = found;
    console.error(`${size} peers  ${found.accuracy.toFixed(3)}  ${found.cpuSeconds} s of CPU`);
  }
} else {
  for (const rule of values.rules.split(",")) {
    for (const attack of values.attacks.split(",")) {
      for (const split of values.splits.split(",")) {
        const found = await measure({ rule, attack, split });
        const paper = published[`${rule} ${attack}`]?.[splits.indexOf(split)];
        results[`${rule}, ${attack}, ${split}`] = { ...found, published: paper };
        console.error(
          `${rule.padEnd(16)} ${attack.padEnd(6)} ${split.padEnd(14)} ${found.accuracy.toFixed(3)}  ` +
            `published ${paper?.toFixed(3) ?? "  –  "}  least honest reputation ${found.leastHonestReputation}  ${found.cpuSeconds} s`,
        );
      }
    }
  }
}
console.log(JSON.stringify(results));

/** What one transaction costs a network on generated rows, by its peers (40), how many each connects to, and ttl. */
async function spread() {
  const found: object[] = [];
  const cases = (values.sizes ?? "40")
    .split(",")
    .flatMap((size) => [1, 2, 4].flatMap((degree) => [1, 2, 3].map((ttl) => [Number(size), degree, ttl])));
  for (const [nodes, degree, ttl] of cases) {
    const file = gossipSimulationSchema.parse({
      ...{
        version: 1,
        name: "spread",
        gossip: { ttl, transactions: 4, expire: 10, quota: 1_000_000, pending: 64 },
      },
      simulation: {
        ...{ nodes, ticks: 80, sample: 80, topology: `random ${degree}`, hidden: 16, test: 20 },
        data: { train: { generated: { rows: 400, features: 8, classes: 3 } } },
      },
    });
    const rows = await loadTrialData({ simulation: { ...file.simulation.data, seed: 1 } }, ".");
    const topology = await makeTopology(file, ".");
    const simulation = new GossipSimulation(file, rows, {
      topology,
      rule: averagingRuleOf("distance-gate")!,
    });
    const begun = process.cpuUsage();
    for (const _ of simulation.play()) void _;
    const { user, system } = process.cpuUsage(begun);
    const transactions = simulation.world.nodes.reduce((sum, one) => sum + one.learner.trainings, 0);
    const { models, messages, refused } = simulation.traffic;
    const finals = simulation.blocks.flat();
    const witnessed = finals.flatMap(({ block }) => block.transactions);
    const receipts = witnessed.reduce((sum, one) => sum + one.receipts.length, 0);
    const confirmations = finals.reduce((sum, one) => sum + one.confirmations.length, 0);
    const line = {
      ...{
        nodes,
        neighbours: topology.reduce((sum, one) => sum + one.length, 0) / topology.length,
        ttl,
        refused,
      },
      models: Number((models / transactions).toFixed(1)),
      messages: Number((messages / transactions).toFixed(1)),
      receipts: Number((receipts / witnessed.length).toFixed(1)),
      confirmed: Number((confirmations / receipts).toFixed(3)),
      cpuSeconds: Number(((user + system) / 1e6).toFixed(1)),
    };
    console.error(JSON.stringify(line));
    found.push(line);
  }
  return found;
}
