import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { appealBondOf } from "../../../src/protocol/job/bond.ts";
import type { Terms } from "../../../src/protocol/job/terms.ts";
import { type ChainFacts, refuseMoney, stakesOf } from "../../../src/protocol/policy/money.ts";
import { outlineOf, refuseOutline } from "../../../src/protocol/policy/outline.ts";
import { policySchema, refuseTerms } from "../../../src/protocol/policy/policy.ts";
import { jobFileSchema, specOf } from "../../../src/protocol/task/spec.ts";
import { someTerms } from "../../support/chain/terms.ts";

const GWEI = 10n ** 9n;
const COIN = 10n ** 18n;
const chain: ChainFacts = {
  pace: { blockSeconds: 2, confirmations: 3 },
  gasPrice: 2n * GWEI,
  poolStake: COIN,
};
const NOW = 1_000_000;
const price = COIN / 10n;
const validatorFee = COIN / 1000n;
const policy = policySchema.parse({});
const fair: Terms = {
  ...someTerms(`0x${"11".repeat(20)}`, `0x${"22".repeat(20)}`),
  ...{ price, validatorFee, validators: 2, acceptBy: NOW + 600 },
  ...stakesOf({ price, validatorFee, validators: 2 }, chain.poolStake),
};
const code = (
  change: Partial<Terms>,
  role: "provider" | "validator" = "provider",
  facts = chain,
  own = policy,
) => refuseTerms(own, { ...fair, ...change }, role, NOW, facts)?.code;

describe("terms", () => {
  it("that are fair are accepted by both roles", () => {
    assert.deepEqual([code({}), code({}, "validator")], [undefined, undefined]);
  });

  it("in a token that the policy does not list are refused by both", () => {
    const token = `0x${"ab".repeat(20)}` as const;
    assert.deepEqual([code({ token }), code({ token }, "validator")], ["TOKEN_UNKNOWN", "TOKEN_UNKNOWN"]);
    const listing = policySchema.parse({ tokens: ["coin", token] });
    assert.deepEqual(
      [code({ token }, "provider", chain, listing), code({}, "provider", chain, listing)],
      [undefined, undefined],
    );
  });

  it("that pay too little for short work or for a stop are refused by a provider, with the share that would do", () => {
    const strict = policySchema.parse({ effort: 0.5, stop: { floor: 0.2, cap: 0.8 } });
    const refusal = (change: Partial<Terms>) =>
      refuseTerms(
        strict,
        { ...fair, effort: 5000, stop: { floor: 2000, cap: 8000 }, ...change },
        "provider",
        NOW,
        chain,
      );
    assert.equal(refusal({}), undefined);
    assert.deepEqual(refusal({ effort: 4999 })?.fix, { field: "effort", value: "0.5" });
    assert.deepEqual(refusal({ stop: { floor: 1999, cap: 8000 } })?.fix, {
      field: "stop.floor",
      value: "0.2",
    });
    assert.deepEqual(refusal({ stop: { floor: 2000, cap: 7999 } })?.fix, { field: "stop.cap", value: "0.8" });
    assert.equal(refusal({ stop: { floor: 2000, cap: 7999 } })?.code, "STOP_SHARE_TOO_LOW");
    assert.equal(code({ stop: { floor: 0, cap: 0 } }, "validator"), undefined);
  });

  it("with windows out of bounds are refused by both", () => {
    for (const role of ["provider", "validator"] as const) {
      const windows = (change: object) => code({ windows: { ...fair.windows, ...change } }, role);
      assert.equal(windows({ claim: 599 }), "WINDOW_TOO_SHORT");
      assert.equal(windows({ reveal: 300 }), "WINDOW_TOO_SHORT");
      assert.equal(windows({ run: 60 }), "WINDOW_TOO_SHORT");
      assert.equal(windows({ appoint: 190 * 86_400 }), "WINDOW_TOO_LONG");
      assert.equal(windows({ run: 190 * 86_400 }), "WINDOW_TOO_LONG");
    }
    assert.equal(code({ acceptBy: NOW + 8 * 86_400 }), "WINDOW_TOO_LONG");
    assert.equal(code({ acceptBy: NOW }), "TOO_LATE");
  });

  it("that ask for more stake than the policy allows for the price are refused", () => {
    assert.equal(code({ providerStake: price + 1n }), "STAKE_ABOVE_PRICE");
    const twice = policySchema.parse({ stakePerPrice: 2 });
    assert.equal(code({ providerStake: 2n * price }, "provider", chain, twice), undefined);
    assert.equal(code({ providerStake: 2n * price + 1n }, "provider", chain, twice), "STAKE_ABOVE_PRICE");
    const frugal = policySchema.parse({ maxStake: "0.09" });
    assert.equal(code({}, "provider", chain, frugal), "STAKE_TOO_HIGH");
    assert.equal(code({ validatorStake: COIN }, "validator", chain, frugal), "STAKE_TOO_HIGH");
  });

  it("whose named validators stake too little are refused; the most that can be asked is the pool's stake", () => {
    const least = price / 2n; // one of the two can deny a pass
    assert.equal(code({ validatorStake: least }), undefined);
    assert.equal(code({ validatorStake: least - 1n }), "VALIDATOR_STAKE_TOO_LOW");
    assert.equal(code({ validatorStake: 0n, validators: 0 }), undefined);
    assert.equal(code({ validatorStake: 5n }, "provider", { ...chain, poolStake: 5n }), undefined);
  });

  it("whose appeal costs more than the price are refused", () => {
    assert.equal(code({ validatorFee: price / 3n }), undefined);
    assert.equal(code({ validatorFee: price / 3n + 1n }), "BOND_TOO_HIGH");
  });

  it("are refused while gas costs too much, absolutely or for the price", () => {
    assert.equal(code({}, "provider", { ...chain, gasPrice: 501n * GWEI }), "GAS_PRICE_TOO_HIGH");
    assert.equal(code({}, "provider", { ...chain, gasPrice: 400n * GWEI }), "GAS_ABOVE_SHARE");
    const generous = policySchema.parse({ gasShare: 1, maxGasPrice: 1000 });
    assert.equal(code({}, "provider", { ...chain, gasPrice: 501n * GWEI }, generous), undefined);
  });
});

describe("the outline of a requester's job", () => {
  const file = (change: object = {}) =>
    jobFileSchema.parse({
      ...{ version: 1, name: "a", image: "x", command: ["x"], inputs: ["x"], outputs: ["y"] },
      ...{ verification: { threshold: 0 }, ...change },
    });
  const own = (change: object, money: { floor: bigint; validatorFee: bigint; validators: number }) => {
    const job = file(change);
    return refuseOutline(outlineOf(job, money, chain), chain, specOf(job, "x"));
  };

  it("is accepted by provider and validator with the usual policy, for any floors", () => {
    const amount = fc.bigInt({ min: COIN / 1000n, max: 50n * COIN });
    fc.assert(
      fc.property(amount, amount, fc.integer({ min: 0, max: 5 }), (asked, validatorFee, validators) => {
        const job = file({ verification: { threshold: 0, validators } });
        const { run } = outlineOf(job, { floor: 0n, validatorFee, validators }, chain).windows;
        const floor = asked > (policy.pricePerHour * BigInt(run)) / 3600n ? asked : COIN;
        const { windows, ...outline } = outlineOf(job, { floor, validatorFee, validators }, chain);
        assert.equal(refuseOutline({ windows, ...outline }, chain, specOf(job, "x")), undefined);
        assert.ok(outline.price >= appealBondOf({ validatorFee }));
        const { accept, ...rest } = windows;
        const terms = { ...fair, ...outline, windows: rest, acceptBy: NOW + accept };
        const rich = policySchema.parse({ maxStake: "1000" });
        for (const role of ["provider", "validator"] as const)
          assert.equal(refuseTerms(rich, terms, role, NOW, chain), undefined);
      }),
    );
  });

  it("is refused with the value that would be accepted", () => {
    const money = { floor: price, validatorFee, validators: 1 };
    const refusalOf = (change: object) => {
      const refusal = own(change, money);
      return [refusal?.code, refusal?.fix?.field, refusal?.fix?.value];
    };
    assert.deepEqual(refusalOf({}), [undefined, undefined, undefined]);
    assert.deepEqual(refusalOf({ windows: { reveal: "5m" } }), ["WINDOW_TOO_SHORT", "windows.reveal", "10m"]);
    assert.deepEqual(refusalOf({ windows: { run: "31m" } }), ["WINDOW_TOO_SHORT", "windows.run", "35m"]);
    assert.deepEqual(refusalOf({ windows: { accept: "30d" } }), [
      "WINDOW_TOO_LONG",
      "windows.accept",
      "604800s",
    ]);
    assert.deepEqual(refusalOf({ price: "0.002" }), ["BOND_TOO_HIGH", "price", "0.003"]);
    assert.deepEqual(refusalOf({ resources: { memory: "1 MiB" } }), [
      "MEMORY_TOO_SMALL",
      "resources.memory",
      "16 MiB",
    ]);
    for (const value of ["10m", "604800s", "35m"])
      assert.equal(own({ windows: { claim: value } }, money), undefined);
  });

  it("is within the bounds of the policy when it is fair", () => {
    assert.equal(refuseMoney(fair, policy, chain), undefined);
  });
});
