import assert from "node:assert/strict";
import { test } from "node:test";
import { smoothedGain } from "../../../../src/roles/federated/market/requester/round/left-out.ts";

test("what an update was worth is smoothed in whole millionths, and no measurement is without bound", () => {
  assert.equal(smoothedGain(undefined, 0.25), 250_000);
  assert.equal(smoothedGain(250_000, -0.05), 130_000);
  assert.equal(smoothedGain(-100_001, 0), -60_000);
  assert.equal(smoothedGain(undefined, 1e9), 1e9);
  assert.equal(smoothedGain(0, -1e9), -4e8);
});
