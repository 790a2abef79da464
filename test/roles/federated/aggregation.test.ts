import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { decide, makeNext, stepOf } from "../../../src/protocol/federated/aggregate.ts";
import { encodeInt8 } from "../../../src/protocol/federated/codec/int8.ts";
import { encodeTopk } from "../../../src/protocol/federated/codec/topk.ts";
import { openUpdate } from "../../../src/protocol/federated/codec/update.ts";
import { modelDigest, updateDigest } from "../../../src/protocol/federated/digest.ts";
import { plainStep } from "../../../src/protocol/federated/server/step.ts";
import { strategyOf } from "../../../src/protocol/federated/strategies.ts";
import { chunkToBytes, Vector } from "../../../src/protocol/federated/vector.ts";
import {
  FileAggregation,
  type RoundFiles,
} from "../../../src/roles/federated/aggregation/aggregate-files.ts";
import { temporaryFolder } from "../../support/binary.ts";

const LENGTH = 20_001;
const layout = [{ name: "w", shape: [LENGTH] }];
const sha256 = () => createHash("sha256");
const changeOf = (who: number, i: number) => (((i * (who + 3) * 7919) % 1009) - 400 - 20 * who) / 9000;
const updates = Array.from({ length: 8 }, (_, who) => {
  const values = Float64Array.from({ length: LENGTH }, (_, i) => changeOf(who, i));
  return who === 3 ? encodeTopk(values, 30, new Uint8Array(32)) : encodeInt8(values);
});
const model = Vector.fromNumbers(Float64Array.from({ length: LENGTH }, (_, i) => (i % 13) - 6));
const state = Vector.fromNumbers(Float64Array.from({ length: LENGTH }, (_, i) => (i % 7) / 100));
const members = Array.from({ length: 7 }, (_, who) => ({
  account: `0x${(who + 1).toString(16).padStart(40, "0")}` as const,
  rows: 50 + who,
  gains: { own: 100 + who, others: 10 * who },
}));

/** A folder with the files of a round. */
function roundFolder() {
  const folder = temporaryFolder();
  for (const [who, bytes] of updates.entries()) writeFileSync(folder.join(`${who}`), bytes);
  writeFileSync(folder.join("model"), chunkToBytes(model.units, LENGTH));
  writeFileSync(folder.join("state"), chunkToBytes(state.units, LENGTH));
  const files: RoundFiles = {
    length: LENGTH,
    layout,
    members: members.map((one, who) => ({ ...one, path: folder.join(`${who}`) })),
    root: folder.join("7"),
    model: folder.join("model"),
    states: [folder.join("state")],
    next: folder.join("next"),
    nextStates: [folder.join("next-state")],
  };
  return { files, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

const rulesOf = (name: string) => ({
  strategy: strategyOf(name)!,
  settings: {},
  server: { ...plainStep, kind: "nesterov", lr: 700, momentum: 900 } as const,
  memory: {},
});

/** Digest of the next model and the bytes of the next state, as one thread in memory finds them. */
function inMemory(name: string) {
  const entries = members.map((one, who) => ({ ...one, update: openUpdate(updates[who]!, LENGTH) }));
  const decision = decide({ ...rulesOf(name), entries, root: openUpdate(updates[7]!, LENGTH) });
  const [next, nextState] = [new Vector(LENGTH), new Vector(LENGTH)];
  const vectors = { model, states: [state], next, nextStates: [nextState] };
  makeNext(stepOf(decision, decision.plan.groups.flat()), decision.updates, vectors);
  return {
    model: modelDigest(sha256(), layout, next),
    state: sha256().update(chunkToBytes(nextState.units, LENGTH)).digest("hex"),
  };
}

for (const threads of [1, 2, 3]) {
  test(`files aggregated in ${threads} threads, in 20 orders, give the model that memory gives`, async () => {
    using round = roundFolder();
    await using aggregation = new FileAggregation(threads);
    for (const [at, name] of ["gate", "median", "bulyan", "root-cosine"].entries()) {
      const expected = inMemory(name);
      for (let turn = 0; turn < 5; turn++) {
        const order = members.map((_, i) => (i * (1 + (turn % 6)) + turn + at) % 7);
        const files = { ...round.files, members: order.map((who) => round.files.members[who]!) };
        const decision = await aggregation.decide(rulesOf(name), files);
        const found = await aggregation.makeNext(decision, decision.plan.groups.flat(), files);
        assert.equal(found, expected.model, `${name}, ${order}`);
        const written = sha256().update(readFileSync(files.nextStates[0]!)).digest("hex");
        assert.equal(written, expected.state, name);
      }
    }
  });
}

test("digests of updates in files are those of their bytes", async () => {
  using round = roundFolder();
  await using aggregation = new FileAggregation(Math.min(2, availableParallelism()));
  assert.deepEqual(
    await aggregation.digestsOf(round.files.members.map(({ path }) => path)),
    updates.slice(0, 7).map((bytes) => updateDigest(sha256(), [bytes])),
  );
});

test("an update that is not valid, or a file that is not whole, is refused, and the threads go on", async () => {
  using round = roundFolder();
  await using aggregation = new FileAggregation(2);
  const rules = rulesOf("fedavg");
  const path = round.files.members[2]!.path;
  const bad = updates[2]!.slice();
  bad[bad.length - 1] = 128;
  for (const bytes of [bad, updates[2]!.subarray(0, -1), new Uint8Array(10)]) {
    writeFileSync(path, bytes);
    await assert.rejects(aggregation.decide(rules, round.files), { code: "UPDATE_INVALID" });
  }
  await assert.rejects(aggregation.decide(rules, { ...round.files, length: LENGTH + 1 }), {
    code: "UPDATE_INVALID",
  });
  writeFileSync(path, updates[2]!);
  const decision = await aggregation.decide(rules, round.files);
  truncateSync(round.files.model, 8);
  await assert.rejects(aggregation.makeNext(decision, [0], round.files), { code: "MODEL_INVALID" });
  assert.ok(existsSync(round.files.next));
});
