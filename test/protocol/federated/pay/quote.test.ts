import assert from "node:assert/strict";
import { test } from "node:test";
import {
  federatedBranchesOf,
  leadDataSizesOf,
  leadGasOf,
  sharedOf,
} from "../../../../src/protocol/federated/pay/quote.ts";
import { worstLoss } from "../../../../src/protocol/policy/quote.ts";

test("a requester that leads loses what providers share of each round, and no more than the pool", () => {
  const windows = { enlist: 600, round: 1200, dispute: 300 };
  const job = { pool: 1003n, rounds: 5, windows };
  assert.equal(sharedOf(job), 196n);
  const branches = federatedBranchesOf(job);
  const loss = Object.fromEntries(branches.map((one) => [one.outcome, one.loss]));
  assert.deepEqual(loss, { "not-begun": 0n, completed: 980n, stopped: 980n, late: 984n });
  assert.equal(worstLoss(branches), 984n);
  const cheated = federatedBranchesOf({ ...job, cheatedFees: 30n }).at(-1)!;
  assert.deepEqual([cheated.outcome, cheated.loss], ["cheated", 830n]);
  assert.deepEqual([branches[0]!.seconds, branches[1]!.seconds], [900, 900 + 6000 + 300]);
});

test("gas and bytes of a job grow with its rounds and with those that it invites", () => {
  const job = { invited: 8, rounds: 5, validators: 0, inToken: false };
  const more = (change: object) => leadGasOf({ ...job, ...change }) - leadGasOf(job);
  assert.equal(more({ rounds: 6 }), 50_900);
  assert.equal(more({ invited: 9 }), 4_800);
  assert.equal(more({ invited: 33 }), 25 * 4_800 + 40_700);
  assert.equal(more({ inToken: true }), 47_000);
  assert.equal(leadDataSizesOf(job).length, 1 + 1 + 1 + 5 + 1 + 1);
  const led = { ...job, validators: 3 };
  assert.equal(leadGasOf({ ...led, rounds: 50 }), leadGasOf(led), "validators close the rounds");
  assert.equal(leadDataSizesOf(led).length, 1 + 1 + 1 + 1 + 1);
});
