import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { averagingRuleOf } from "../../../src/protocol/gossip/rules.ts";
import { gossipSimulationSchema } from "../../../src/protocol/gossip/simulation-file.ts";
import { loadTrialData } from "../../../src/roles/federated/data/load.ts";
import { GossipSimulation } from "../../../src/roles/gossip/simulation/simulate.ts";
import { makeTopology } from "../../../src/roles/gossip/simulation/topology.ts";

const file = fileURLToPath(new URL("../../../../shared/data/mnist10k.npz", import.meta.url));
const there = existsSync(file) ? {} : { skip: "needs mnist10k.npz in ../shared/data" };

test(
  "on the digits at α = 0.1, the model attack costs distance-gate less by .1 than Reputation-0.05",
  there,
  async () => {
    const parsed = gossipSimulationSchema.parse({
      ...{ version: 1, name: "digits" },
      simulation: {
        ...{ ticks: 600, sample: 600, split: "dirichlet 0.1", attackers: { model: [0] } },
        data: {
          train: { file, rows: "Xtr", labels: "ytr" },
          test: { file, rows: "Xte", labels: "yte" },
          scale: 1 / 255,
        },
      },
    });
    const { data, seed } = parsed.simulation;
    const rows = await loadTrialData({ simulation: { ...data, seed } }, "/");
    const topology = await makeTopology(parsed, "/");
    const [ours, published] = ["distance-gate", "reputation-0.05"].map((name) => {
      const simulation = new GossipSimulation(parsed, rows, { topology, rule: averagingRuleOf(name)! });
      return [...simulation.play()].at(-1)!.accuracy;
    }) as [number, number];
    assert.ok(ours >= published + 0.1, `${ours} against ${published}`);
  },
);
