import assert from "node:assert/strict";
import { test } from "node:test";
import { distanceGate } from "../../../src/protocol/gossip/rules/distance-gate.ts";
import { halfFedAvg } from "../../../src/protocol/gossip/rules/half-fedavg.ts";
import { reputation005 } from "../../../src/protocol/gossip/rules/reputation-005.ts";
import { type AveragingRule, planBy } from "../../../src/protocol/gossip/rules/rule.ts";
import { averagingRuleNames, averagingRuleOf } from "../../../src/protocol/gossip/rules.ts";
import type { Address } from "../../../src/protocol/ids.ts";
import { Random } from "../../../src/roles/federated/data/random.ts";

const account = (digit: string) => `0x${digit.repeat(40)}` as Address;
const [a, b, c, d] = ["a", "b", "c", "d"].map(account) as [Address, Address, Address, Address];

function plan(
  rule: AveragingRule,
  own: number,
  received: readonly (readonly [Address, number, number?])[],
  before: ReadonlyMap<Address, number> = new Map(),
) {
  const models = received.map(([generator, accuracy, distance = 1]) => ({ generator, accuracy, distance }));
  return planBy(rule, { own, rows: 100, received: models, reputationOf: (one) => before.get(one) ?? 1 });
}

const near = (found: readonly number[], expected: readonly number[]) => {
  assert.equal(found.length, expected.length);
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(found[i]! - value) < 1e-12, `${found}`);
};

test("HalfFedAvg: half of its own, the rest in equal parts", () => {
  const { own, received, reputations } = plan(halfFedAvg, 0.9, [
    [a, 0.9],
    [b, 0],
    [c, 0.5],
    [d, 0.1],
  ]);
  near([own, ...received], [0.5, 0.125, 0.125, 0.125, 0.125]);
  assert.equal(reputations.size, 0);
});

test("Reputation-0.05: by reputation before × accuracy; all of the least accuracy pay, down to 0", () => {
  const before = new Map([
    [a, 0.5],
    [c, 0.02],
  ]);
  const models = [
    [a, 0.8],
    [b, 0.4],
    [c, 0.4],
    [b, 0.4],
  ] as const;
  const { own, received, reputations } = plan(reputation005, 0.9, models, before);
  const sum = 0.4 + 0.4 + 0.008 + 0.4;
  near([own, ...received], [0.5, 0.2 / sum, 0.2 / sum, 0.004 / sum, 0.2 / sum]);
  near([...reputations.values()], [0.9, 0]);
  assert.deepEqual([...reputations.keys()], [b, c]);
  const none = new Map([a, b].map((one) => [one, 0]));
  near(
    plan(
      reputation005,
      0.9,
      [
        [a, 0.5],
        [b, 0.6],
      ],
      none,
    ).received,
    [0.25, 0.25],
  );
});

test("distance-gate: by reputation × accuracy against its own; who is far from all is left out, and wins back", () => {
  const before = new Map([[b, 0.5]]);
  const models = [
    [a, 0.5, 1],
    [b, 0.5, 1],
    [c, 0.5, 5.1],
  ] as const;
  const { own, received, reputations } = plan(distanceGate, 0.25, models, before);
  near([own, ...received], [0.25, 0.5, 0.25, 0]);
  near([...reputations.values()], [1, 0.55, 0.9]);
  const none = [
    [a, 0],
    [b, 0],
  ] as const;
  near([plan(distanceGate, 0, none).own], [1]);
});

test("distance-gate: many models of one generator weigh as one does, and cannot make themselves the usual", () => {
  const { own, received, reputations } = plan(distanceGate, 0.5, [
    [a, 0.5, 1],
    [a, 0.5, 1],
    [c, 0.5, 100],
    [c, 0.5, 100],
    [c, 0.5, 100],
  ]);
  near([own, ...received], [0.5, 0.25, 0.25, 0, 0, 0]);
  near([reputations.get(c)!], [0.9]);
  const alone = plan(distanceGate, 0.5, [[c, 0.5, 100]]);
  assert.deepEqual([alone.own, alone.received[0], alone.reputations.size], [0.5, 0.5, 0]);
});

test("every rule keeps within its bounds, whatever it is given", () => {
  const random = new Random("rules");
  for (const rule of averagingRuleNames.map((name) => averagingRuleOf(name)!)) {
    for (let i = 0; i < 500; i++) {
      const pick = () => [0, 1, random.uniform()][random.below(3)]!;
      const models = Array.from(
        { length: 1 + random.below(8) },
        () => [account("abcd"[random.below(4)]!), pick(), 100 * pick()] as const,
      );
      const { own, received } = plan(rule, pick(), models, new Map([a, b, c, d].map((one) => [one, pick()])));
      near([received.reduce((sum, share) => sum + share, own)], [1]);
    }
  }
});

test("a rule that plans out of bounds is refused", () => {
  const wrong = (result: object): AveragingRule => ({
    ...{ name: "wrong", summary: "" },
    plan: () => ({ own: 1, received: [1], reputations: new Map(), ...result }),
  });
  for (const result of [
    { own: -1 },
    { own: Number.NaN },
    { own: Number.POSITIVE_INFINITY },
    { own: 0, received: [0] },
    { received: [] },
    { reputations: new Map([[a, 1.1]]) },
  ]) {
    assert.throws(() => plan(wrong(result), 1, [[a, 1]]), { code: "GOSSIP_RULE_INVALID" });
  }
});
