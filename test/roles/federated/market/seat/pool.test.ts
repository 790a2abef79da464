import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openJournal } from "../../../../../src/journal/journal.ts";
import { toHex } from "../../../../../src/protocol/bytes.ts";
import { modelDigest, updateDigest } from "../../../../../src/protocol/federated/digest.ts";
import { federatedJobFileSchema, jobRulesSchema } from "../../../../../src/protocol/federated/market/file.ts";
import type { UpdateMessage } from "../../../../../src/protocol/federated/market/messages.ts";
import { readModel } from "../../../../../src/protocol/federated/model-file.ts";
import { chainHeader } from "../../../../../src/protocol/gossip/chain/chain-file.ts";
import { readEvidence, writeEvidence } from "../../../../../src/protocol/gossip/chain/evidence.ts";
import { genesisDigest } from "../../../../../src/protocol/gossip/genesis.ts";
import type { JobPool } from "../../../../../src/protocol/gossip/job-pool.ts";
import type { FinalBlock } from "../../../../../src/protocol/gossip/records/block.ts";
import { averagingRuleOf } from "../../../../../src/protocol/gossip/rules.ts";
import { gossipSimulationSchema } from "../../../../../src/protocol/gossip/simulation-file.ts";
import type { Address, Hex } from "../../../../../src/protocol/ids.ts";
import type { WorkerContext } from "../../../../../src/roles/context.ts";
import { readVector, writeVector } from "../../../../../src/roles/federated/aggregation/vector-file.ts";
import { loadTrialData } from "../../../../../src/roles/federated/data/load.ts";
import { emptyRoundFiles, leadFiles } from "../../../../../src/roles/federated/market/requester/files.ts";
import {
  aggregateRound,
  findFigures,
  type RoundPlace,
} from "../../../../../src/roles/federated/market/requester/round/aggregate.ts";
import { checkUpdate } from "../../../../../src/roles/federated/market/requester/round/arrivals.ts";
import { closeBooks } from "../../../../../src/roles/federated/market/requester/round/books.ts";
import {
  agreedMeasurements,
  asFigures,
} from "../../../../../src/roles/federated/market/seat/round/figures.ts";
import { modelWeights } from "../../../../../src/roles/gossip/model-file.ts";
import { keepShown } from "../../../../../src/roles/gossip/settle/shown-models.ts";
import { GossipSimulation } from "../../../../../src/roles/gossip/simulation/simulate.ts";
import { makeTopology } from "../../../../../src/roles/gossip/simulation/topology.ts";
import { temporaryFolder } from "../../../../support/binary.ts";
import { random32 } from "../../../../support/chain/terms.ts";
import { code } from "../../../../support/parcel/parcels.ts";

const never = { signal: new AbortController().signal };
const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());
const PRICE = 10n ** 18n;
const id = random32();

type Node = GossipSimulation["world"]["nodes"][number];
let simulation: GossipSimulation;
let pool: JobPool;
/** What each peer handed over, by its place. */
const evidence: Uint8Array[] = [];
let measure: (model: Uint8Array) => number;
const nodes = (): readonly Node[] => simulation.world.nodes;

before(async () => {
  const file = gossipSimulationSchema.parse({
    ...{ version: 1, name: "clouds", gossip: { transactions: 4, expire: 20 } },
    simulation: {
      ...{ nodes: 7, ticks: 160, topology: "full", hidden: 16, optimiser: { lr: 0.02 } },
      attackers: { stolen: [0], perturbed: [1], replayed: [2], averaged: [3] },
      data: { train: { generated: { rows: 4000, features: 16, classes: 8, spread: 0.6 } } },
    },
  });
  const data = await loadTrialData({ simulation: { ...file.simulation.data, seed: 1 } }, ".");
  const [models, finals] = [new Map<Hex, Uint8Array>(), new Map<number, FinalBlock[]>()];
  simulation = new GossipSimulation(file, data, {
    ...{ topology: await makeTopology(file, "."), rule: averagingRuleOf("distance-gate")! },
    keepModel: (model, bytes) => void models.set(model, bytes),
    // Records are signed where they are kept.
    keep: (at, kept) => {
      const own = kept.flatMap((one) => (one.kind === "final" ? [one.final] : []));
      finals.set(at, [...(finals.get(at) ?? []), ...own]);
    },
  });
  for (const _ of simulation.play()) void _;
  const { genesis, network } = simulation.world;
  pool = {
    ...{ network: genesis.name, genesis: genesisDigest(genesis), span: 40, length: 160, period: 0 },
    evidence: 64 << 20,
  };
  for (const at of nodes().keys()) {
    const blocks = finals.get(at) ?? [];
    const lines = [chainHeader(genesis), ...blocks].map((one) => JSON.stringify(one));
    const own = blocks.flatMap(({ block }) => block.transactions.map(({ transaction }) => transaction.model));
    const bytes = [...new Set(own)].map((model) => models.get(model)!);
    evidence.push(writeEvidence(Buffer.from(lines.join("\n")), bytes));
  }
  measure = (model) => {
    network.load(modelWeights(model, genesis.layout)!);
    return network.measure(data.test, data.hidden).accuracy;
  };
});

/** A seat of the pool, with what `handed` of the peers gave it; `off`: by how much its floats differ. */
async function seatWith(t: { after(f: () => void): void }, name: string, handed: readonly number[], off = 0) {
  const dir = folder.join(name);
  const files = leadFiles(dir);
  await emptyRoundFiles(files);
  mkdirSync(files.input, { recursive: true });
  const { genesis } = simulation.world;
  const start = readModel(startFile());
  writeVector(files.model(1), start.vector);
  const parent = modelDigest(createHash("sha256"), start.layout, start.vector);
  const journal = openJournal(join(dir, "journal.db"));
  t.after(() => journal.close());
  let runs = 0;
  const sandbox = {
    run: async ({ id: run, inputDir }: { id: string; inputDir: string }) => {
      runs += 1;
      const measured = readdirSync(join(inputDir, "models")).map((file) => {
        const acc = measure(readFileSync(join(inputDir, "models", file)));
        return [file.replace(".safetensors", ""), { hidden: { acc: Math.min(1, acc + off), loss: 1 } }];
      });
      mkdirSync(join(dir, run), { recursive: true });
      writeFileSync(join(dir, run, "measured.json"), JSON.stringify(Object.fromEntries(measured)));
      return { ended: "exit", exitCode: 0, wallSeconds: 1, log: "" };
    },
    outputs: async (run: string) => join(dir, run),
    discard: async () => undefined,
  };
  const context = { sandbox, reporter: { emit: () => undefined } } as unknown as WorkerContext;
  const rules = jobRulesSchema.parse({ model: "model", test: { file: "test.npz" }, audit: "off", local: {} });
  const draft = {
    ...{ file: { federated: rules }, folder: "", layout: start.layout, seed: id },
    terms: { enlistBy: 160, requester: `0x${"11".repeat(20)}`, roundPrice: PRICE, seatFee: 5n },
    spec: {
      resources: {},
      command: [],
      federated: { parameters: start.vector.length, start: parent, gossip: pool },
    },
  };
  const place = {
    ...{ draft, files, train: undefined, root: undefined, open: undefined },
    test: {
      ...{ names: { rows: "x", labels: "y" }, labels: Uint8Array.of(0), files: Uint8Array.of(0), bytes: 0 },
      parts: [{ features: 1, shape: [1], values: Float32Array.of(0), labels: Uint8Array.of(0), bytes: 4 }],
    },
    tasks: { spec: { ...draft.spec, outputs: [] }, image: "x", input: files.input, gpus: [], logBytes: 1 },
    ...{ parts: nodes().map(() => new Uint32Array()), members: nodes().map(({ peer }) => peer.account) },
  } as unknown as RoundPlace;
  assert.equal(genesisDigest({ name: genesis.name, layout: [...genesis.layout] }), pool.genesis);
  const updates = handed.map((at) => {
    const path = join(dir, `update-${at}`);
    writeFileSync(path, evidence[at]!);
    return { account: nodes()[at]!.peer.account, place: at, path };
  });
  const record = journal.open("federated-validator", id);
  const request = { round: 1, updates, memory: {}, tag: "1-0" };
  return {
    ...{ files, parent, runs: () => runs },
    find: async () => (await findFigures(context, record, place, request, never)).measured,
    settle: (agree?: Parameters<typeof aggregateRound>[3]["agree"]) =>
      aggregateRound(context, record, place, { ...request, parent, ...(agree && { agree }) }, never),
    books: (aggregated: Awaited<ReturnType<typeof aggregateRound>>) =>
      closeBooks({ chainId: 1, escrow: `0x${"33".repeat(20)}`, job: id }, draft as never, {
        ...{ round: 1, aggregated, parent, lead: `0x${"22".repeat(20)}` as Address, sign: () => "0x" as Hex },
        members: place.members.map((account) => ({ account, rows: 0 })),
        ...{ uploads: [], earned: [], previous: id, model: id, bytes: new Map() },
        ...{ times: { finishedAt: 1, seconds: 1 } },
      }),
  };
}

function startFile(): Uint8Array {
  const { models } = readEvidence(evidence[6]!, { account: nodes()[6]!.peer.account, pool });
  return models[0]!;
}

test("seats pay a pool alike: those that trained, and none that stole, perturbed, replayed or averaged", async (t) => {
  const all = [...nodes().keys()];
  const [lead, other] = [await seatWith(t, "lead", all), await seatWith(t, "other", all)];
  const proposed = await lead.settle();
  // The other commits to figures before it hears the lead's, and measures once.
  const own = await other.find();
  const proposal = {
    ...{ round: 1, updates: all.map(() => ({ upload: {} }) as UpdateMessage) },
    ...asFigures(proposed.before, proposed.members),
  };
  const agreed = await other.settle((found) => agreedMeasurements(found, proposal as never));
  assert.deepEqual(
    own.members.map(({ accuracy }) => accuracy),
    proposed.members.map(({ accuracy }) => accuracy),
  );
  assert.deepEqual([lead.runs(), other.runs()], [1, 1]);
  assert.equal(agreed.digest, proposed.digest);
  const [one, two] = [lead.books(proposed), other.books(agreed)];
  assert.deepEqual(one.closing, two.closing);
  const paid = new Map(one.paid);
  for (const { plays, peer } of nodes()) {
    const amount = paid.get(peer.account)!;
    assert.ok(plays === "honest" ? amount > 0n : amount === 0n, `${plays}: ${amount}`);
  }
  const sum = one.earned.reduce((total, [, amount]) => total + amount, 0n);
  assert.equal(sum, PRICE);
  // The pool's model is what all trained, and on the disk.
  const vector = readVector(lead.files.model(2), readModel(startFile()).vector.length);
  assert.notEqual(proposed.digest, lead.parent);
  assert.equal(modelDigest(createHash("sha256"), readModel(startFile()).layout, vector), proposed.digest);
});

test("a peer that hands nothing over earns nothing, and still vouches for others", async (t) => {
  const seat = await seatWith(t, "silent", [4, 5]);
  const settled = await seat.settle();
  assert.equal(settled.members.length, 2);
  const paid = new Map(seat.books(settled).paid);
  for (const [at, { peer }] of nodes().entries())
    assert.equal(paid.get(peer.account)! > 0n, at === 4 || at === 5, String(at));
  const nothing = await seatWith(t, "nothing", []);
  const none = await nothing.settle();
  assert.deepEqual([none.digest, none.members], [nothing.parent, []]);
  // All of it goes back.
  assert.deepEqual(nothing.books(none).earned, [[`0x${"11".repeat(20)}`, PRICE]]);
});

test("a proposal is not signed whose worth of a peer is another than is measured here", async (t) => {
  const all = [...nodes().keys()];
  const seat = await seatWith(t, "doubts", all, 0.0001);
  const own = await seat.find();
  const told = (more: number) => ({
    ...{ round: 1, updates: all.map(() => ({ upload: { provider: "a peer" } }) as unknown as UpdateMessage) },
    ...asFigures(
      own.before,
      own.members.map((one, at) => ({ ...one, accuracy: one.accuracy + (at === 1 ? more : 0) })),
    ),
  });
  const settle = (more: number) => seat.settle((found) => agreedMeasurements(found, told(more) as never));
  await assert.rejects(settle(2_000), code("FEDERATED_DISAGREED"));
  await assert.rejects(settle(6_000), code("FEDERATED_DISAGREED"));
  const near = await settle(900);
  assert.equal(near.members[1]!.accuracy, own.members[1]!.accuracy + 900);
});

test("what a peer hands over is its own chain of this network, whole, and what it signed", async () => {
  const { account } = nodes()[4]!.peer;
  const file = Buffer.from(evidence[4]!);
  const refused = (bytes: Uint8Array, of: Partial<{ account: Address; pool: JobPool }> = {}) =>
    assert.throws(() => readEvidence(bytes, { account, pool, ...of }), code("UPDATE_INVALID"));
  assert.ok(readEvidence(file, { account, pool }).blocks.length > 0);
  refused(file, { account: nodes()[5]!.peer.account });
  refused(file, { pool: { ...pool, genesis: random32() } });
  refused(file, { pool: { ...pool, evidence: file.length - 1 } });
  refused(file.subarray(0, -1));
  refused(Buffer.from("ichain/evidence/1\n"));
  refused(new Uint8Array(3));
  // A digit of a signature.
  const changed = Buffer.from(file);
  const at = changed.indexOf('"signature":"0x') + 20;
  changed[at] = changed[at] === 0x31 ? 0x32 : 0x31;
  refused(changed);
  const dir = folder.join("handed");
  mkdirSync(dir);
  writeFileSync(join(dir, "update.bin"), file);
  const signed = updateDigest(createHash("sha256"), [file]);
  const check = (update: Hex) =>
    checkUpdate(dir, { upload: { provider: account, update } } as UpdateMessage, {
      ...{ parameters: 1, gossip: pool, maxBytes: pool.evidence },
    });
  await check(signed);
  await assert.rejects(check(toHex(createHash("sha256").digest())), code("UPDATE_INVALID"));
});

test("a job file of a pool is refused with what does not belong there", () => {
  const gossip = { network: "digits", span: "1m" };
  const issues = (federated: object) => {
    const { error } = federatedJobFileSchema.safeParse({
      ...{ version: 1, name: "pool", image: "python-ml", command: ["x"], inputs: ["task.py"] },
      resources: { cpus: 1, memory: "1 GiB", disk: "1 GiB", time: "1m" },
      federated: {
        ...{ providers: 4, rounds: 1, model: "start", test: { file: "test.npz" }, validators: 1, gossip },
        ...federated,
      },
    });
    return error?.issues.map(({ path }) => path.slice(1).join("."));
  };
  assert.equal(issues({}), undefined);
  assert.deepEqual(issues({ validators: 0 }), ["validators"]);
  assert.deepEqual(issues({ rounds: 2 }), ["rounds"]);
  assert.deepEqual(issues({ train: { file: "train.npz" } }), ["train"]);
  assert.deepEqual(issues({ root: { file: "root.npz" } }), ["root"]);
  assert.deepEqual(issues({ audit: 1 }), ["audit"]);
  assert.deepEqual(issues({ strategy: "fedavg" }), ["strategy"]);
  assert.deepEqual(issues({ gossip: { ...gossip, past: "10d" } }), ["gossip.span"]);
  assert.deepEqual(issues({ gossip: { ...gossip, network: "../x" } }), ["gossip.network"]);
});

test("a peer keeps the models that it showed last, in so many bytes", async () => {
  const [from, to] = [folder.join("showing"), folder.join("shown")];
  mkdirSync(from);
  for (const [at, name] of ["a", "b", "c"].entries()) {
    writeFileSync(join(from, name), new Uint8Array(10));
    await keepShown(to, join(from, name), 20);
    utimesSync(join(to, name), at, at);
  }
  await keepShown(to, join(from, "a"), 9);
  assert.deepEqual(readdirSync(to).sort(), ["b", "c"]);
});
