import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { climb, climbTable, JOBS, PRICES } from "../../scripts/sim/climb.ts";
import type { FederatedTerms } from "../../src/protocol/federated/market/terms.ts";
import type { Address } from "../../src/protocol/ids.ts";
import { requesterGas } from "../../src/protocol/policy/quote.ts";
import {
  leastGas,
  type PastJob,
  pastRoundsOf,
  recordOf,
  STANDING_UNIT,
  seatStandingOf,
  standingOf,
  weighedPrice,
} from "../../src/protocol/record.ts";

const PRICE = 10n ** 16n;
const account = (number: number): Address => `0x${number.toString(16).padStart(40, "0")}`;
const asker = { requester: account(0), gasPrice: 2n * 10n ** 9n };

const past = (change: Partial<PastJob> = {}): PastJob => ({
  ...{ requester: account(1), value: PRICE, validators: 1, ended: "settled", score: undefined },
  ...change,
});
const standing = (jobs: readonly PastJob[], price = PRICE) => standingOf(recordOf(jobs, asker), price);

const anyJob = fc.record({
  requester: fc.integer({ min: 0, max: 6 }).map(account),
  value: fc.bigInt({ min: 1n, max: 10n ** 20n }),
  validators: fc.integer({ min: 0, max: 5 }),
  ended: fc.constantFrom("settled" as const, "fault" as const),
  score: fc.constantFrom(undefined, 1, 2, 3, 4, 5),
});
const anyJobs = fc.array(anyJob, { maxLength: 40 });
const anyPrice = fc.bigInt({ min: 1n, max: 10n ** 20n });

describe("a provider's record", () => {
  it("is between -1 and 1, and 0 without a job", () => {
    assert.equal(standing([]), 0n);
    fc.assert(
      fc.property(anyJobs, anyPrice, (jobs, price) => {
        const value = standing(jobs, price);
        assert.ok(-STANDING_UNIT <= value && value <= STANDING_UNIT);
      }),
    );
  });

  it("rises with one more job of a stranger by no more than the part of its gas that counts, over the price", () => {
    fc.assert(
      fc.property(anyJobs, anyJob, anyPrice, (jobs, one, price) => {
        fc.pre(one.requester !== asker.requester);
        const { optimistic, validated, validator } = leastGas;
        const gas = one.validators === 0 ? optimistic : validated + one.validators * validator;
        const burnt = BigInt(gas) * (asker.gasPrice / 2n);
        const rise = standing([...jobs, one], price) - standing(jobs, price);
        // One for each of the two divisions that round.
        assert.ok(rise <= (burnt * STANDING_UNIT) / 8n / price + 2n, `${rise}`);
      }),
    );
  });

  it("never falls by a job that went well, nor rises by one that went badly", () => {
    fc.assert(
      fc.property(anyJobs, anyJob, anyPrice, (jobs, one, price) => {
        const before = standing(jobs, price);
        assert.ok(standing([...jobs, { ...one, ended: "settled", score: 5 }], price) >= before);
        for (const bad of [{ ended: "fault" as const }, { ended: "settled" as const, score: 1 }])
          assert.ok(standing([...jobs, { ...one, ...bad, score: 1 }], price) <= before);
      }),
    );
  });

  it("never falls by a better score", () => {
    fc.assert(
      fc.property(anyJobs, anyJob, fc.integer({ min: 1, max: 4 }), (jobs, one, score) => {
        const at = (given: number) => standing([...jobs, { ...one, score: given }]);
        assert.ok(at(score + 1) >= at(score));
      }),
    );
  });

  it("does not depend on the order of its jobs", () => {
    fc.assert(fc.property(anyJobs, (jobs) => assert.equal(standing(jobs), standing(jobs.toReversed()))));
  });

  it("gains no more from any number of jobs of one requester than from two of different ones", () => {
    const alone = standing(Array.from({ length: 64 }, () => past()));
    assert.ok(alone <= standing([past(), past({ requester: account(2) })]));
  });

  it("counts the asker's own jobs in full, and a fault more than any number of strangers' jobs", () => {
    assert.equal(standing([past({ requester: asker.requester })]), STANDING_UNIT / 2n);
    const strangers = Array.from({ length: 64 }, (_, i) => past({ requester: account(i + 1) }));
    assert.ok(standing(strangers) > 0n);
    assert.ok(standing([...strangers, past({ ended: "fault" })]) < 0n);
  });

  it("counts what the rounds of a federated job paid, or its stake where a strike cost it", () => {
    const [requester, provider, other] = [account(1), account(2), account(3)];
    const terms = { requester, token: account(0), providerStake: 7n } as FederatedTerms;
    const claim = { kind: "claimed", account: provider, amount: 20n } as const;
    const others = [
      { kind: "claimed", account: other, amount: 9n },
      { kind: "stakeReleased", account: other, slashed: true },
      { kind: "rated", rater: other, subject: provider, score: 1 },
      { kind: "stakeReleased", account: provider, slashed: false },
    ] as const;
    const rated = { kind: "rated", rater: requester, subject: provider, score: 4 } as const;
    const lost = { kind: "stakeReleased", account: provider, slashed: true } as const;
    const whose = { requester, validators: 0, federated: true } as const;
    assert.equal(pastRoundsOf(terms, others, provider), undefined);
    assert.deepEqual(pastRoundsOf(terms, [claim, ...others, claim, rated], provider), {
      ...{ ...whose, value: 40n, ended: "settled", score: 4 },
    });
    const inToken = pastRoundsOf({ ...terms, token: other }, [claim], provider);
    assert.deepEqual([inToken?.value, inToken?.score], [7n, undefined]);
    assert.deepEqual(pastRoundsOf(terms, [claim, lost], provider), {
      ...{ ...whose, value: 7n, ended: "fault", score: undefined },
    });
    const rounds = past({ federated: true, validators: 0 });
    assert.ok(standing([rounds]) > 0n && standing([rounds]) < standing([past()]));
  });

  it("of a validator falls with each fault and low rating, and rises with a seat by no more than its gas", () => {
    const outcomes = { settled: 0, released: 0, rejected: 0, late: 0, abstained: 0, hid: 0, unmet: 0 };
    const at = (change: object = {}, ratings = { count: 0, sum: 0 }) =>
      seatStandingOf(
        { ...ratings, outcomes: { ...outcomes, ...change } },
        { fee: PRICE, gasPrice: 2n * 10n ** 9n },
      );
    assert.equal(at(), 0n);
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.nat(20),
        fc.constantFrom("late", "rejected", "hid"),
        (settled, faults, fault) => {
          const before = at({ settled, [fault]: faults });
          const more = at({ settled: settled + 1, [fault]: faults });
          const burnt = (BigInt(leastGas.validator) * 10n ** 9n * STANDING_UNIT) / PRICE;
          assert.ok(before <= more && more - before <= burnt / 8n + 2n);
          assert.ok(at({ settled, [fault]: faults + 1 }) < before);
          assert.ok(at({ settled, [fault]: faults }, { count: 2, sum: 5 }) < before);
          assert.equal(at({ settled, [fault]: faults }, { count: 9, sum: 45 }), before);
        },
      ),
    );
    assert.equal(at({ settled: 64 }), at({ settled: 6400 }));
  });

  it("weighs a price between its whole and twice of it, an unknown provider's at one and a half", () => {
    const at = (value: bigint) => weighedPrice({ price: 100n, standing: value });
    assert.deepEqual([at(STANDING_UNIT), at(0n), at(-STANDING_UNIT)], [100n, 150n, 200n]);
  });

  it("takes for burnt no more gas than jobs use", () => {
    const file = new URL("../contracts/gas.snapshot.json", import.meta.url);
    const paths = JSON.parse(readFileSync(file, "utf8")) as Record<string, Record<string, number>>;
    const sum = (path: string) => Object.values(paths[path]!).reduce((total, gas) => total + gas, 0);
    const { optimistic, validated, validator } = leastGas;
    assert.ok(optimistic <= sum("optimistic") && optimistic > 0.95 * sum("optimistic"));
    const whole = sum("validated") - requesterGas.rate;
    assert.ok(validated + validator <= whole && validated + validator > 0.95 * whole);
    const { enlist, claim } = JSON.parse(
      readFileSync(new URL("../contracts/federated/gas.snapshot.json", import.meta.url), "utf8"),
    ) as Record<string, number>;
    // Ten providers enlist; the claim is of thirteen accounts in one call.
    assert.ok(leastGas.federated <= enlist! / 10 + claim! / 13);
  });
});

describe("making jobs up to climb past an honest provider", () => {
  it("costs more than the place brings, whatever gas costs", () => {
    for (const gwei of PRICES)
      for (const jobs of JOBS) {
        const { cost, brings } = climb(jobs, gwei);
        assert.ok(cost > 1.5 * brings, `${gwei} gwei, ${jobs} jobs: ${cost} for ${brings}`);
      }
  });

  it("is in docs/incentives.md as it is computed", () => {
    const page = readFileSync(new URL("../../docs/incentives.md", import.meta.url), "utf8");
    assert.ok(page.includes(climbTable()), "node scripts/sim/ranking.ts --markdown");
  });
});
