import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { isPacked, packWeights } from "../../../src/protocol/gossip/packed-model.ts";
import { averagingRuleOf } from "../../../src/protocol/gossip/rules.ts";
import { countModels } from "../../../src/protocol/gossip/settle/counted.ts";
import { type Mix, planTrials } from "../../../src/protocol/gossip/settle/trials.ts";
import { worthOf } from "../../../src/protocol/gossip/settle/worth.ts";
import { gossipSimulationSchema } from "../../../src/protocol/gossip/simulation-file.ts";
import type { Hex } from "../../../src/protocol/ids.ts";
import { loadTrialData } from "../../../src/roles/federated/data/load.ts";
import { modelFile, modelWeights } from "../../../src/roles/gossip/model-file.ts";
import { ModelFolder } from "../../../src/roles/gossip/settle/model-folder.ts";
import { GossipSimulation } from "../../../src/roles/gossip/simulation/simulate.ts";
import { makeTopology } from "../../../src/roles/gossip/simulation/topology.ts";
import { temporaryFolder } from "../../support/binary.ts";

const never = { signal: new AbortController().signal };

for (const compressed of [undefined, "int8"] as const) {
  const form = compressed === undefined ? "in F32" : "packed";
  test(`peers that trained share a pool, models ${form}; those that stole, perturbed, replayed or averaged get nothing`, async () => {
    using folder = temporaryFolder();
    const file = gossipSimulationSchema.parse({
      ...{ version: 1, name: "clouds", gossip: { transactions: 4, expire: 20 } },
      simulation: {
        ...{ nodes: 7, ticks: 200, topology: "full", compressed, hidden: 16, optimiser: { lr: 0.02 } },
        attackers: { stolen: [0], perturbed: [1], replayed: [2], averaged: [3] },
        data: { train: { generated: { rows: 4000, features: 16, classes: 8, spread: 0.6 } } },
      },
    });
    const data = await loadTrialData({ simulation: { ...file.simulation.data, seed: 1 } }, ".");
    const topology = await makeTopology(file, ".");
    const models = new Set<Hex>();
    mkdirSync(folder.join("models"));
    const simulation = new GossipSimulation(file, data, {
      ...{ topology, rule: averagingRuleOf("distance-gate")! },
      keepModel: (model, bytes) => {
        models.add(model);
        writeFileSync(
          folder.join("models", `${model.slice(2)}.${isPacked(bytes) ? "int8" : "safetensors"}`),
          bytes,
        );
      },
    });
    for (const _ of simulation.play()) void _;
    const { genesis, network, nodes } = simulation.world;
    const opened = await ModelFolder.open(folder.join("models"), genesis, models, never);
    const peers = nodes.map(({ at, peer }) => ({ account: peer.account, blocks: simulation.blocks[at]! }));
    const { counted, uncounted } = countModels(peers, { from: 0, until: 200, has: (one) => opened.has(one) });
    const trials = planTrials(counted, { from: 0, span: 40, dot: (a, b) => opened.dot(a, b) });
    const accuracyOf = (mix: Mix) => {
      network.load(modelWeights(opened.fileOf(mix), genesis.layout)!);
      return Math.round(1e6 * network.measure(data.test, data.hidden).accuracy);
    };
    const worth = worthOf(
      peers.map(({ account }) => account),
      trials,
      accuracyOf,
    );
    for (const { plays, peer } of nodes) {
      const of = worth.get(peer.account)!;
      assert.ok(plays === "honest" ? of > 0 : of === 0, `${plays}: ${of}`);
    }
    assert.ok(uncounted.get(nodes[0]!.peer.account)!.filter((why) => why === "repeated").length > 10);
  });
}

test("a model that was not handed over as it was does not count", async () => {
  using folder = temporaryFolder();
  const genesis = { name: "digits", layout: [{ name: "weight", shape: [2, 2] }] };
  const name = `${"ab".repeat(32)}` as const;
  writeFileSync(folder.join(`${name}.safetensors`), modelFile(genesis.layout, new Float32Array(4)));
  const opened = await ModelFolder.open(folder.path, genesis, [`0x${name}`, `0x${"cd".repeat(32)}`], never);
  assert.ok(!opened.has(`0x${name}`) && !opened.has(`0x${"cd".repeat(32)}`));
  const other = modelFile([{ name: "weight", shape: [4] }], new Float32Array(4));
  assert.equal(modelWeights(other, genesis.layout), undefined);
  assert.equal(modelWeights(new Uint8Array(9), genesis.layout), undefined);
  const broken = modelFile(genesis.layout, Float32Array.from([1, Number.NaN, 0, 0]));
  assert.equal(modelWeights(broken, genesis.layout), undefined);
});

test("a model that travelled packed counts like any, by the digest of its file", async () => {
  using folder = temporaryFolder();
  const genesis = { name: "digits", layout: [{ name: "weight", shape: [2, 2] }] };
  const [packed, plain] = [
    packWeights([1, 2, 3, -4]),
    modelFile(genesis.layout, Float32Array.of(1, 0, 0, 0)),
  ];
  const [one, other] = [packed, plain].map(
    (file) => `0x${createHash("sha256").update(file).digest("hex")}` as Hex,
  ) as [Hex, Hex];
  writeFileSync(folder.join(`${one.slice(2)}.int8`), packed);
  writeFileSync(folder.join(`${other.slice(2)}.safetensors`), plain);
  const opened = await ModelFolder.open(folder.path, genesis, [one, other], never);
  assert.ok(opened.has(one) && opened.has(other));
  assert.equal(opened.dot(one, one), 30);
  assert.equal(opened.dot(one, other), 1);
});
