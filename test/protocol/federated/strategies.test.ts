import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { chooseGroups, decide, makeNext, stepOf } from "../../../src/protocol/federated/aggregate.ts";
import { encodeInt8 } from "../../../src/protocol/federated/codec/int8.ts";
import { openUpdate } from "../../../src/protocol/federated/codec/update.ts";
import { nearMedian } from "../../../src/protocol/federated/combine.ts";
import { modelDigest } from "../../../src/protocol/federated/digest.ts";
import {
  cosine,
  divide,
  divideDown,
  medianOf,
  ONE,
  squareRoot,
  wholeRoot,
} from "../../../src/protocol/federated/exact.ts";
import { plainStep, stateCount } from "../../../src/protocol/federated/server/step.ts";
import { strategies, strategyOf } from "../../../src/protocol/federated/strategies.ts";
import { Vector } from "../../../src/protocol/federated/vector.ts";
import { accountOf, decideBy, updateOf } from "./support.ts";

const all = (decision: ReturnType<typeof decideBy>) => decision.plan.groups.flat().toSorted((a, b) => a - b);

/** The change of a model of zeros by `taken`. */
function changeBy(decision: ReturnType<typeof decideBy>, taken = all(decision)): number[] {
  const { length } = decision.entries[0]!.update;
  const next = new Vector(length);
  makeNext(stepOf(decision, taken), decision.updates, {
    model: new Vector(length),
    states: [],
    next,
    nextStates: [],
  });
  return [...next.toNumbers()];
}

test("fedavg weighs by rows", () => {
  const decision = decideBy("fedavg", [
    { update: updateOf(1, 0), rows: 300 },
    { update: updateOf(-1, 2), rows: 100 },
  ]);
  assert.deepEqual(changeBy(decision), [0.5, 0.5]);
});

test("the median of each parameter leaves one liar no say", () => {
  const sent = [updateOf(1, 4), updateOf(2, 5), updateOf(100, -100)].map((update) => ({ update }));
  assert.deepEqual(changeBy(decideBy("median", sent)), [2, 4]);
  const five = [1, 2, 3, 50, -90].map((value) => ({ update: updateOf(value) }));
  assert.deepEqual(changeBy(decideBy("trimmed-mean", five, { settings: { trim: 200 } })), [2]);
});

test("multi-Krum leaves out the update that is far from the others", () => {
  const near = [updateOf(1, 0), updateOf(1.25, 0), updateOf(0.75, 0), updateOf(1, 0.25)];
  const sent = [...near, updateOf(-9, 9)].map((update) => ({ update }));
  assert.deepEqual(all(decideBy("multi-krum", sent, { settings: { bad: 200 } })), [0, 1, 2, 3]);
});

test("Bulyan takes what Krum chooses, and of each parameter the values near the median", () => {
  const near = [
    updateOf(1, 0),
    updateOf(1.25, 0),
    updateOf(0.75, 0.5),
    updateOf(1, 0.25),
    updateOf(1.5, -0.25),
  ];
  const sent = [...near, updateOf(1, 0), updateOf(-9, 9)].map((update) => ({ update }));
  const decision = decideBy("bulyan", sent);
  // Of seven one may be bad: five are chosen, of each parameter the three values nearest to the median are averaged.
  assert.equal(decision.plan.kept, 3);
  assert.deepEqual(all(decision), [0, 1, 2, 3, 4]);
  // Of 0.75, 1, 1, 1.25, 1.5 and of -0.25, 0, 0, 0.25, 0.5; of two that are equally near the smaller, rounded down.
  assert.deepEqual(
    changeBy(decision),
    [2.75 / 3, -0.25 / 3].map((value) => Math.floor(value * 2 ** 24) / 2 ** 24),
  );
  const plan = decideBy("bulyan", sent.slice(0, 4), { settings: { bad: 400 } }).plan;
  assert.deepEqual([plan.groups, plan.kept], [[[0, 1, 2, 3]], 4], "too few to leave one out");
});

test("the values near a median are those that sorting by distance finds", () => {
  const value = fc.integer({ min: -50, max: 50 });
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 12 }), fc.nat(11), (list, most) => {
      const values = Float64Array.from(list).sort();
      const kept = Math.min(most + 1, values.length);
      const half = values.length >> 1;
      const median = (values[half]! + values[values.length % 2 === 1 ? half : half - 1]!) / 2;
      const byDistance = [...values].sort((a, b) => Math.abs(a - median) - Math.abs(b - median) || a - b);
      const [from, to] = nearMedian(values, kept);
      assert.deepEqual(
        [...values.subarray(from, to)],
        byDistance.slice(0, kept).sort((a, b) => a - b),
      );
    }),
  );
});

test("root-cosine admits what points with the root update and clips to the median norm", () => {
  const sent = [updateOf(1, 0), updateOf(0, 1), updateOf(8, 0), updateOf(-1, 0.5)].map((update) => ({
    update,
  }));
  const decision = decideBy("root-cosine", sent, { root: updateOf(1, 1) });
  assert.deepEqual(all(decision), [0, 1, 2]);
  // Norms 1, 1, 8 and 1.118…: their median is (1 + 1.118…) / 2, to which the third is scaled down.
  const [first, second] = changeBy(decision);
  assert.ok(Math.abs(first! - (1 + 1.059) / 3) < 1e-3, String(first));
  assert.ok(Math.abs(second! - 1 / 3) < 1e-5);
});

test("root-cosine suspects who points away five rounds running, not sooner", () => {
  let memory = {};
  for (let round = 1; round <= 5; round++) {
    const sent = [updateOf(1, 0), updateOf(1, 0.5), updateOf(-1, 0)].map((update) => ({ update }));
    const { plan } = decideBy("root-cosine", sent, { root: updateOf(1, 0), memory });
    assert.deepEqual(plan.suspects, round < 5 ? [] : [2], `round ${round}`);
    memory = plan.memory;
  }
});

test("distillation means scores by rows, each clipped to the median norm", () => {
  const sent = [updateOf(1, 0), updateOf(1, 0), updateOf(-8, 0)].map((update) => ({ update }));
  const [first, second] = changeBy(decideBy("distillation", sent));
  assert.ok(Math.abs(first! - 1 / 3) < 1e-5, String(first));
  assert.equal(second, 0);
});

test("bottom-up takes the largest even cluster, and DBSCAN orders clusters by size", () => {
  const cluster = [updateOf(1, 0, 0), updateOf(1, 0.125, 0), updateOf(1, 0, 0.125)];
  const other = [updateOf(-1, 0, 0), updateOf(-1, 0.0625, 0)];
  const sent = [...other, ...cluster].map((update) => ({ update }));
  assert.deepEqual(decideBy("bottom-up", sent).plan.groups, [[2, 3, 4]]);
  const { plan } = decideBy("dbscan", sent, { settings: { eps: 100, points: 2 } });
  assert.deepEqual(plan.groups, [
    [2, 3, 4],
    [0, 1],
  ]);
});

test("the accuracy gate keeps a group only while the model does not get less accurate", async () => {
  const sent = [updateOf(1), updateOf(1), updateOf(1), updateOf(-1), updateOf(-1)].map((update) => ({
    update,
  }));
  const decision = decideBy("dbscan", sent, { settings: { eps: 100, points: 2 } });
  const tried: string[] = [];
  const accuracyOf = (taken: readonly number[]) => {
    tried.push(taken.join());
    return taken.includes(3) ? 0.2 : 0.6;
  };
  assert.deepEqual(await chooseGroups(decision, 0.5, accuracyOf), [0, 1, 2]);
  assert.deepEqual(tried, ["0,1,2", "0,1,2,3,4"]);
  assert.deepEqual(await chooseGroups(decision, 0.7, accuracyOf), [], "rolled back");
});

test("the gate takes who gained on its own rows, and more there than elsewhere", () => {
  const gains = [
    { own: 500, others: 100 },
    { own: 400, others: 0 },
    { own: 90, others: 0 },
    { own: -1, others: -900 },
    { own: 300, others: 290 },
  ];
  const sent = gains.map((one) => ({ update: updateOf(1, 0), gains: one }));
  // Differences 400, 400, 90, 899, 10: the median is 400, the line 120.
  const { plan } = decideBy("gate", sent, { root: updateOf(0, 2) });
  assert.deepEqual(plan.groups, [[0, 1]]);
  assert.deepEqual(plan.suspects, [2, 3, 4]);
});

test("the gate averages gains over rounds, six parts of what was and four of what is", () => {
  const sent = [{ update: updateOf(1), gains: { own: 1000, others: 0 } }];
  const memory = { [accountOf(0)]: [-500, 100] };
  const { plan } = decideBy("gate", sent, { root: updateOf(1), memory });
  assert.deepEqual(plan.memory, { [accountOf(0)]: [100, 60] });
});

test("the root update joins the gate's mean at the median norm, however long it is", () => {
  const sent = [1, 2].map(() => ({ update: updateOf(1, 0), gains: { own: 5, others: 0 } }));
  for (const length of [2, 0.25]) {
    const [first, second] = changeBy(decideBy("gate", sent, { root: updateOf(0, length) }));
    assert.ok(Math.abs(first! - 2 / 3) < 1e-5);
    // Shorter ones are stretched, up to the weight of the whole mean.
    assert.ok(Math.abs(second! - 1 / 3) < 1e-5 || length < 0.34);
  }
});

test("one digest, whatever the order in which updates come, for every strategy", () => {
  const length = 9000;
  const bytes = Array.from({ length: 8 }, (_, who) =>
    encodeInt8(
      Float64Array.from({ length }, (_, i) => (((i * (who + 3) * 7919) % 1009) - 400 - 20 * who) / 9000),
    ),
  );
  const root = openUpdate(bytes[7]!, length);
  for (const strategy of strategies) {
    const digests = new Set<string>();
    for (let turn = 0; turn < 20; turn++) {
      const order = [0, 1, 2, 3, 4, 5, 6].map((i) => (i * (1 + (turn % 6)) + turn) % 7);
      const entries = order.map((who) => ({
        account: accountOf(who),
        rows: 50 + who,
        gains: { own: 100 + who, others: 10 * who },
        update: openUpdate(bytes[who]!, length),
      }));
      const server = {
        ...plainStep,
        kind: strategy.server,
        lr: 500,
        momentum: 900,
        beta1: 900,
        beta2: 990,
        tau: 1000,
      };
      const decision = decide({ strategy, settings: {}, server, entries, root, memory: {} });
      const next = new Vector(length);
      const states = Array.from({ length: stateCount(server) }, () => new Vector(length));
      const vectors = { model: new Vector(length), states, next, nextStates: states };
      makeNext(stepOf(decision, all(decision)), decision.updates, vectors);
      assert.ok(next.units.some((units) => units !== 0));
      digests.add(modelDigest(createHash("sha256"), [], next));
    }
    assert.equal(digests.size, 1, strategy.name);
  }
});

test("the digest of a fixed round is the one that every machine must find", () => {
  const sent = [updateOf(0.5, -0.25, 3), updateOf(1, 0.125, -2)].map((update, i) => ({
    update,
    rows: 10 + i,
  }));
  const decision = decideBy("diloco", sent, {
    server: { ...plainStep, kind: "nesterov", lr: 700, momentum: 900 },
  });
  const [model, next, state] = [Vector.fromNumbers([1, 2, 3]), new Vector(3), new Vector(3)];
  makeNext(stepOf(decision, [0, 1]), decision.updates, { model, states: [state], next, nextStates: [state] });
  assert.deepEqual([...next.units], [33_778_117, 32_359_060, 58_832_050]);
  assert.deepEqual([...state.units], [12_782_632, -898_776, 6_391_280]);
});

test("whole roots, quotients and medians are exact", () => {
  const natural = fc.bigInt({ min: 0n, max: 2n ** 200n });
  fc.assert(
    fc.property(natural, (n) => {
      const root = squareRoot(n);
      assert.ok(root * root <= n && (root + 1n) * (root + 1n) > n);
    }),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: -(2 ** 51), max: 2 ** 51 }),
      fc.integer({ min: 1, max: 2 ** 40 }),
      (a, b) => {
        const double = 2n * BigInt(Math.abs(a)) + BigInt(b % 2 === 0 ? b : b - 1);
        const nearest = double / (2n * BigInt(b));
        assert.equal(BigInt(divide(a, b)), a < 0 ? -nearest : nearest);
      },
    ),
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 52 }), (n) => {
      assert.equal(BigInt(wholeRoot(n)), squareRoot(BigInt(n)));
    }),
  );
  assert.equal(divideDown(-7n, 2n), -4n);
  assert.equal(medianOf([]), 0n);
  assert.equal(medianOf([5n, -1n, 4n]), 4n);
  assert.equal(medianOf([-1n, -2n]), -2n);
  assert.equal(cosine(3n, 9n, 1n), ONE);
  assert.equal(cosine(1n, 0n, 4n), 0);
});

test("every strategy is found by its name", () => {
  for (const strategy of strategies) assert.equal(strategyOf(strategy.name), strategy);
  assert.equal(strategyOf("toString"), undefined);
});
