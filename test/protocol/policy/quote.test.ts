import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { branchesOf, gasOf, requesterGas, worstLoss } from "../../../src/protocol/policy/quote.ts";

const windows = {
  accept: 1,
  run: 10,
  appoint: 100,
  commit: 1000,
  reveal: 10_000,
  claim: 100_000,
  challenge: 7,
  appeal: 3,
};
const shares = { effort: 2_505, stop: { floor: 1_000, cap: 9_000 } };
const terms = { price: 1000n, validatorFee: 10n, providerStake: 1001n, windows, ...shares };
const losses = (validators: number) =>
  Object.fromEntries(branchesOf({ ...terms, validators }).map(({ outcome, loss }) => [outcome, loss]));

describe("the loss of each ending", () => {
  it("of a validated job: fees for work, the price for a result, compensation from the stake", () => {
    assert.deepEqual(losses(2), {
      cancelled: 0n,
      released: 0n,
      stopped: 900n,
      late: -100n, // a tenth of the stake, rounded down
      settled: 1020n,
      unclaimed: 20n - 100n,
      rejected: 20n,
      unmet: 20n + 250n, // rounded down
      overruled: 1020n,
      inconclusive: 20n,
    });
    assert.equal(worstLoss(branchesOf({ ...terms, validators: 2 })), 1020n);
  });

  it("of an optimistic job: a challenge costs its panel, and half of the price when it is lost", () => {
    assert.deepEqual(losses(0), {
      cancelled: 0n,
      released: 0n,
      stopped: 900n,
      late: -100n,
      unclaimed: -100n,
      settled: 1000n,
      "challenge-won": 30n - 100n,
      "challenge-lost": 1530n,
      "challenge-open": 1030n,
    });
  });

  it("comes within bounded time, with replacement and appeal", () => {
    const seconds = Object.fromEntries(
      branchesOf({ ...terms, validators: 1 }).map((branch) => [branch.outcome, branch.seconds]),
    );
    assert.equal(seconds.cancelled, 1);
    assert.equal(seconds.late, 11);
    const measured = 2 * 1000 + 2 * 10_000 + 2 * 10_000;
    assert.equal(seconds.settled, 1 + 10 + 100 + 100_000 + measured + 100_000);
    assert.equal(seconds.overruled, seconds.settled! + 3 + 2 * 10_000 + measured);
  });
});

it("quoted gas is within 2 % of the measured gas", () => {
  const file = new URL("../../contracts/gas.snapshot.json", import.meta.url);
  const { validated, optimistic, token } = JSON.parse(readFileSync(file, "utf8")) as Record<
    string,
    Record<string, number>
  >;
  const { post, appoint, rate } = validated!;
  for (const [call, measured] of Object.entries({
    ...{ post, appoint, rate, settle: optimistic!.settle, postWithPermit: token!.postWithPermit },
  })) {
    const quoted = requesterGas[call as keyof typeof requesterGas];
    assert.ok(Math.abs(quoted - measured!) / measured! <= 0.02, `${call}: ${quoted}, measured ${measured}`);
  }
  const quoted = requesterGas;
  assert.equal(gasOf({ validators: 3, permit: false }), quoted.post + quoted.appoint + quoted.rate);
  assert.equal(gasOf({ validators: 0, permit: true }), quoted.postWithPermit + quoted.settle + quoted.rate);
});
