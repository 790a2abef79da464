import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isIchainError } from "../../../src/errors/error.ts";
import { toHex } from "../../../src/protocol/bytes.ts";
import { blindKey, keyCommitment } from "../../../src/protocol/job/exchange.ts";
import { measurementCommitment } from "../../../src/protocol/job/measurement.ts";
import { fromScore, toScore } from "../../../src/protocol/task/metric.ts";

const hex32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);

describe("a blinded key", () => {
  it("is unblinded by its mask and by no other", () => {
    fc.assert(
      fc.property(hex32, hex32, hex32, (key, mask, other) => {
        fc.pre(mask !== other);
        const blinded = blindKey(key, mask);
        assert.equal(blindKey(blinded, mask), key);
        assert.notEqual(blindKey(blinded, other), key);
      }),
    );
  });

  it("is committed to for one job", () => {
    fc.assert(
      fc.property(hex32, hex32, hex32, (job, other, key) => {
        fc.pre(job !== other);
        assert.notEqual(keyCommitment(job, key), keyCommitment(other, key));
      }),
    );
  });
});

describe("a measurement", () => {
  it("is committed to for one author", () => {
    const job = `0x${"01".repeat(32)}` as const;
    const measurement = { digest: job, score: -5n, salt: job };
    const [a, b] = [`0x${"aa".repeat(20)}`, `0x${"bb".repeat(20)}`] as const;
    assert.notEqual(measurementCommitment(job, a, measurement), measurementCommitment(job, b, measurement));
  });

  it("has a score of which larger is better", () => {
    assert.equal(toScore(0.973, "max"), 973_000_000n);
    assert.ok(toScore(0.1, "min") > toScore(0.2, "min"));
    assert.equal(fromScore(toScore(0.25, "min"), "min"), 0.25);
    for (const wild of [Number.NaN, Number.POSITIVE_INFINITY, 1e18, 1e300, -1e300]) {
      assert.throws(
        () => toScore(wild, "max"),
        (error) => isIchainError(error, "METRIC_OUT_OF_RANGE"),
      );
    }
  });
});
