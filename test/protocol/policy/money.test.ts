import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isIchainError } from "../../../src/errors/error.ts";
import { COIN as COIN_TOKEN, type TokenInfo } from "../../../src/protocol/amounts.ts";
import { appealBondOf } from "../../../src/protocol/job/bond.ts";
import type { Terms } from "../../../src/protocol/job/terms.ts";
import { type ChainFacts, refuseMoney, stakesOf } from "../../../src/protocol/policy/money.ts";
import { outlineOf, refuseOutline } from "../../../src/protocol/policy/outline.ts";
import { payOf } from "../../../src/protocol/policy/pay.ts";
import { policySchema, refuseTerms } from "../../../src/protocol/policy/policy.ts";
import { coinTender, type Tender, type TokenRule, tenderBy } from "../../../src/protocol/policy/tender.ts";
import { jobFileSchema, specOf } from "../../../src/protocol/task/spec.ts";
import { someTerms } from "../../support/chain/terms.ts";

const GWEI = 10n ** 9n;
const COIN = 10n ** 18n;
const chain: ChainFacts = {
  pace: { blockSeconds: 2, confirmations: 3 },
  gasPrice: 2n * GWEI,
  dataFee: 0n,
  poolStake: COIN,
};
const NOW = 1_000_000;
const price = COIN / 10n;
const validatorFee = COIN / 1000n;
const policy = policySchema.parse({});
const usd: TokenInfo = { address: `0x${"cd".repeat(20)}`, symbol: "USD", decimals: 6 };
const dollars: TokenRule = { token: usd.address, worth: COIN / 2000n };
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
    const only = {
      ...policySchema.parse({ tokens: [{ ...dollars, worth: "0.0005" }] }),
      tenders: [tenderBy(dollars, usd, policy)],
    };
    assert.equal(code({}, "provider", chain, only), "TOKEN_UNKNOWN", "the coin is not listed either");
    assert.equal(
      code(
        { token: usd.address },
        "validator",
        chain,
        policySchema.parse({ tokens: [{ ...dollars, worth: "0.0005" }] }),
      ),
      "TOKEN_UNKNOWN",
      "its decimals are not known",
    );
  });

  it("in a token are compared with floors in it, and with stakes and gas by what it counts as", () => {
    // 0.1 coin are 200 dollars at 0.0005 coin each: 200 × 10^6 of their smallest unit.
    const taking = { ...policy, tenders: [tenderBy(dollars, usd, policy)] };
    const paid = { token: usd.address, price: 200_000_000n, validatorFee: 2_000_000n };
    const refusal = (change: Partial<Terms>, role: "provider" | "validator" = "provider") => {
      const refused = refuseTerms(taking, { ...fair, ...paid, ...change }, role, NOW, chain);
      return refused && [refused.code, refused.fix?.field, refused.fix?.value];
    };
    assert.deepEqual([refusal({}), refusal({}, "validator")], [undefined, undefined]);
    assert.deepEqual(refusal({ price: 19_999_999n }), ["PRICE_TOO_LOW", "pay.price", "20"]);
    assert.deepEqual(refusal({ validatorFee: 1_999_999n }), ["FEE_TOO_LOW", "pay.validatorFee", "2"]);
    assert.deepEqual(refusal({ validatorFee: 1_999_999n }, "validator"), [
      "FEE_TOO_LOW",
      "pay.validatorFee",
      "2",
    ]);
    assert.equal(refusal({ providerStake: fair.price + 1n })?.[0], "STAKE_ABOVE_PRICE");
    assert.equal(refusal({ validatorStake: fair.validatorStake - 1n })?.[0], "VALIDATOR_STAKE_TOO_LOW");
    assert.deepEqual(refusal({ validatorFee: 70_000_000n }), ["BOND_TOO_HIGH", "pay.price", "210"]);
    const dear = refuseTerms(taking, { ...fair, ...paid }, "provider", NOW, {
      ...chain,
      gasPrice: 400n * GWEI,
    });
    // 171,000 gas at 400 gwei are 0.0684 coin: half of 0.1368, which 273.6 dollars count as.
    assert.deepEqual([dear?.code, dear?.fix], ["GAS_ABOVE_SHARE", { field: "pay.price", value: "273.6" }]);
  });

  it("have floors of their own where the policy names them, with no more decimals than the token", () => {
    const own = tenderBy({ ...dollars, pricePerHour: "5", validationFee: "0.000001" }, usd, policy);
    assert.deepEqual([own.pricePerHour, own.validationFee], [5_000_000n, 1n]);
    const tooFine = { ...dollars, pricePerHour: "0.0000001" };
    assert.throws(
      () => tenderBy(tooFine, usd, policy),
      (error) => isIchainError(error, "POLICY_INVALID"),
    );
    for (const broken of [
      { token: usd.address },
      { token: usd.address, worth: "0" },
      { token: "Coin!", worth: "1" },
      usd.address,
    ])
      assert.equal(policySchema.safeParse({ tokens: [broken] }).success, false, JSON.stringify(broken));
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
    assert.equal(code({}, "provider", { ...chain, dataFee: price / 3n }), undefined);
    assert.equal(code({}, "provider", { ...chain, dataFee: price / 2n }), "GAS_ABOVE_SHARE");
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
  const own = (change: object, money: { tender: Tender; validatorFee: bigint; validators: number }) => {
    const job = file(change);
    const outline = outlineOf(job, payOf(job, COIN_TOKEN), money, chain);
    return refuseOutline(outline, money.tender, chain, specOf(job, "x"));
  };

  it("is accepted by provider and validator with the usual policy, for any floors", () => {
    const amount = fc.bigInt({ min: COIN / 100n, max: 50n * COIN });
    const worth = fc.bigInt({ min: 1n, max: 10n ** 24n });
    const paidIn = fc.oneof(
      fc.constant(undefined),
      fc.record({ worth, decimals: fc.integer({ min: 0, max: 36 }) }),
    );
    const seats = fc.integer({ min: 0, max: 5 });
    fc.assert(
      fc.property(amount, amount, seats, paidIn, (pricePerHour, validationFee, validators, token) => {
        const floors = { pricePerHour, validationFee };
        const info = { ...usd, decimals: token?.decimals ?? 0 };
        const tender = token
          ? tenderBy({ ...dollars, worth: token.worth }, info, floors)
          : coinTender(floors);
        const rich = {
          ...policySchema.parse({ maxStake: "1000000000" }),
          ...floors,
          tenders: token ? [tender] : [],
        };
        const job = file({ verification: { threshold: 0, validators } });
        const validatorFee = tender.validationFee;
        const { windows, ...outline } = outlineOf(job, {}, { tender, validatorFee, validators }, chain);
        assert.equal(refuseOutline({ windows, ...outline }, tender, chain, specOf(job, "x")), undefined);
        assert.ok(outline.price >= appealBondOf({ validatorFee }));
        const { accept, ...rest } = windows;
        const terms = { ...fair, ...outline, windows: rest, acceptBy: NOW + accept };
        for (const role of ["provider", "validator"] as const)
          assert.equal(refuseTerms(rich, terms, role, NOW, chain), undefined);
      }),
    );
  });

  it("is refused with the value that would be accepted", () => {
    const tender = coinTender({ pricePerHour: price, validationFee: validatorFee });
    const money = { tender, validatorFee, validators: 1 };
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
    assert.equal(refuseMoney(fair, policy, coinTender(policy), chain), undefined);
  });
});
