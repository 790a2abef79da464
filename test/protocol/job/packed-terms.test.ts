import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isIchainError } from "../../../src/errors/error.ts";
import { ZERO_ADDRESS } from "../../../src/protocol/ids.ts";
import { packTerms, unpackTerms } from "../../../src/protocol/job/packed-terms.ts";
import { modes } from "../../../src/protocol/job/state.ts";
import type { Terms } from "../../../src/protocol/job/terms.ts";

const hash = `0x${"ab".repeat(32)}` as const;
const window = fc.integer({ min: 0, max: 2 ** 24 - 1 });
const anyTerms: fc.Arbitrary<Terms> = fc.record(
  {
    requester: fc.constant(ZERO_ADDRESS),
    provider: fc.constant(ZERO_ADDRESS),
    token: fc.constant(ZERO_ADDRESS),
    price: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
    validatorFee: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
    providerStake: fc.bigInt({ min: 0n, max: 2n ** 96n - 1n }),
    validatorStake: fc.bigInt({ min: 0n, max: 2n ** 96n - 1n }),
    validators: fc.integer({ min: 0, max: 255 }),
    mode: fc.constantFrom(...modes),
    tolerance: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    threshold: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    effort: fc.integer({ min: 0, max: 2 ** 16 - 1 }),
    stop: fc.record(
      { floor: fc.integer({ min: 0, max: 2 ** 16 - 1 }), cap: fc.integer({ min: 0, max: 2 ** 16 - 1 }) },
      { noNullPrototype: true },
    ),
    acceptBy: fc.integer({ min: 0, max: 2 ** 40 - 1 }),
    windows: fc.record(
      {
        run: window,
        appoint: window,
        commit: window,
        reveal: window,
        claim: window,
        challenge: window,
        appeal: window,
      },
      { noNullPrototype: true },
    ),
    specHash: fc.constant(hash),
    bundleRoot: fc.constant(hash),
    secretHash: fc.constant(hash),
  },
  { noNullPrototype: true },
);

test("packed terms unpack to the same terms", () => {
  fc.assert(fc.property(anyTerms, (terms) => assert.deepEqual(unpackTerms(packTerms(terms)), terms)));
});

test("a value that its field cannot hold is refused", () => {
  const [terms] = fc.sample(anyTerms, { numRuns: 1, seed: 1 });
  const bad: Partial<Terms>[] = [
    { validators: 256 },
    { tolerance: -1n },
    { tolerance: 2n ** 64n },
    { threshold: 2n ** 63n },
    { threshold: -(2n ** 63n) - 1n },
    { acceptBy: 2 ** 40 },
    { windows: { ...terms!.windows, appeal: 2 ** 24 } },
    { windows: { ...terms!.windows, run: -1 } },
  ];
  for (const change of bad) {
    assert.throws(
      () => packTerms({ ...terms!, ...change }),
      (error) => isIchainError(error, "TERMS_OUT_OF_RANGE"),
    );
  }
});

test("a rule with an unknown mode does not unpack", () => {
  const [terms] = fc.sample(anyTerms, { numRuns: 1, seed: 1 });
  const packed = packTerms(terms!);
  assert.equal(unpackTerms({ ...packed, rule: packed.rule | 0xffn }), undefined);
});
