import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { ChainChecker } from "../../../src/protocol/gossip/chain/checker.ts";
import { genesisDigest } from "../../../src/protocol/gossip/genesis.ts";
import type { Kept } from "../../../src/protocol/gossip/peer/state.ts";
import { recordChecker } from "../../../src/protocol/gossip/records/signatures.ts";
import { averagingRuleOf } from "../../../src/protocol/gossip/rules.ts";
import { attackKinds, gossipSimulationSchema } from "../../../src/protocol/gossip/simulation-file.ts";
import { loadTrialData } from "../../../src/roles/federated/data/load.ts";
import { Random } from "../../../src/roles/federated/data/random.ts";
import { GossipSimulation } from "../../../src/roles/gossip/simulation/simulate.ts";
import { drawRows, labelShares, rowsByLabel } from "../../../src/roles/gossip/simulation/stream.ts";
import { makeTopology } from "../../../src/roles/gossip/simulation/topology.ts";
import { temporaryFolder } from "../../support/binary.ts";

const generated = { train: { generated: { rows: 1000, features: 16, classes: 5, spread: 0.7 } } };
const fileOf = (simulation: object, gossip: object = {}) =>
  gossipSimulationSchema.parse({
    ...{ version: 1, name: "clouds", gossip },
    simulation: { nodes: 4, ticks: 300, topology: "full", hidden: 16, data: generated, ...simulation },
  });

async function play(file: ReturnType<typeof fileOf>, keep?: (node: number, kept: readonly Kept[]) => void) {
  const { data, seed } = file.simulation;
  const rows = await loadTrialData({ simulation: { ...data, seed } }, ".");
  const [topology, rule] = [await makeTopology(file, "."), averagingRuleOf(file.gossip.rule)!];
  const simulation = new GossipSimulation(file, rows, { topology, rule, ...(keep && { keep }) });
  return { simulation, samples: [...simulation.play()] };
}

test("peers learn together, finish blocks that all confirm, and the same seed gives the same", async () => {
  const [one, two] = [await play(fileOf({})), await play(fileOf({}))];
  assert.deepEqual(one.samples, two.samples);
  assert.ok(one.samples.at(-1)!.accuracy > 0.8, String(one.samples.at(-1)!.accuracy));
  for (const blocks of one.simulation.blocks) {
    assert.ok(blocks.length > 0);
    for (const { confirmations } of blocks) assert.equal(confirmations.length, 36);
  }
  assert.equal(one.simulation.traffic.refused, 0);
  assert.notDeepEqual((await play(fileOf({ seed: 2 }))).samples, one.samples);
});

test("with signatures every chain holds, and what peers learn is the same", async () => {
  const small = { ticks: 120, nodes: 3 };
  const file = fileOf(small, { transactions: 2, expire: 10 });
  const finals: Kept[][] = [[], [], []];
  const signed = await play(file, (node, kept) =>
    finals[node]!.push(...kept.filter(({ kind }) => kind === "final")),
  );
  assert.deepEqual(signed.samples, (await play(file)).samples);
  const genesis = genesisDigest(signed.simulation.world.genesis);
  for (const kept of finals) {
    const checker = new ChainChecker(genesis, recordChecker(genesis));
    for (const one of kept) if (one.kind === "final") checker.add(one.final);
    assert.ok(kept.length > 0);
  }
});

test("an attacker that sends random models loses its name with honest peers, who keep theirs", async () => {
  const { simulation } = await play(
    fileOf({ attackers: { model: [0] }, split: "dirichlet 0.5", hidden: 32 }),
  );
  const [attacker, ...honest] = simulation.world.nodes;
  for (const { peer } of honest) {
    assert.ok(peer.reputations.get(attacker!.peer.account)! < 0.2);
    for (const other of honest) assert.ok((peer.reputations.get(other.peer.account) ?? 1) > 0.9);
  }
});

test("every way to misbehave can be played, and an observer learns without training", async () => {
  for (const kind of attackKinds) {
    const { simulation } = await play(fileOf({ attackers: { [kind]: [1] }, observers: [2], ticks: 60 }));
    const [, bad, observer] = simulation.world.nodes;
    assert.equal(bad!.plays, kind);
    assert.equal(observer!.learner.trainings, 0);
    assert.ok(observer!.averagings > 0, kind);
  }
});

test("a topology is made by kind, of edges, or from a file; neighbours are so both ways", async () => {
  using folder = temporaryFolder();
  const degrees = async (topology: unknown, nodes = 10) =>
    (await makeTopology(fileOf({ nodes, topology }), folder.path)).map(({ length }) => length).join("");
  assert.equal(await degrees("paper"), "3424563443");
  assert.equal(await degrees("full", 4), "3333");
  assert.equal(await degrees("ring", 4), "2222");
  assert.equal(await degrees("line", 4), "1221");
  assert.equal(
    await degrees(
      {
        edges: [
          [0, 1],
          [1, 0],
          [2, 1],
        ],
      },
      4,
    ),
    "1210",
  );
  writeFileSync(folder.join("edges.txt"), "0-1 1-2\n2-3\n");
  assert.equal(await degrees({ file: "edges.txt" }, 4), "1221");
  await assert.rejects(degrees({ file: "edges.txt" }, 3), { code: "GOSSIP_SIMULATION_INVALID" });
  await assert.rejects(degrees({ file: "none.txt" }, 3), { code: "DATA_UNREADABLE" });
  await assert.rejects(degrees("random 4", 4), { code: "GOSSIP_SIMULATION_INVALID" });
});

test("a node draws the labels of its split", () => {
  const labels = Uint8Array.from({ length: 100 }, (_, row) => row % 4);
  const samples = { labels, classes: 4 } as Parameters<typeof rowsByLabel>[0];
  const byLabel = rowsByLabel(samples, Uint32Array.from(labels.keys()));
  const random = new Random("shares");
  assert.deepEqual(labelShares("iid", 0, byLabel, random), [0.25, 0.25, 0.25, 0.25]);
  assert.deepEqual(labelShares("labels 2", 3, byLabel, random), [0.5, 0, 0, 0.5]);
  const shares = labelShares("dirichlet 0.1", 0, byLabel, random);
  assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-9);
  const rows = drawRows(200, [0.5, 0, 0, 0.5], byLabel, random);
  assert.deepEqual([...new Set(rows.map((row) => labels[row]!))].sort(), [0, 3]);
  assert.ok(rows.filter((row) => labels[row] === 3).length > 60);
});

test("models that travel as codes of 8 bits cost a quarter, and teach as much", async () => {
  const [plain, small] = [await play(fileOf({})), await play(fileOf({ compressed: "int8" }))];
  const { models, bytes } = plain.simulation.traffic;
  assert.equal(small.simulation.traffic.models, models);
  assert.ok(small.simulation.traffic.bytes < 0.4 * bytes);
  const apart = small.samples.at(-1)!.accuracy - plain.samples.at(-1)!.accuracy;
  assert.ok(Math.abs(apart) < 0.05, String(apart));
});
