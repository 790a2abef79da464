import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { moneyOf } from "../../../scripts/sim/rules.ts";
import type { Address } from "../../../src/protocol/ids.ts";
import { causes } from "../../../src/protocol/job/events.ts";
import { fold } from "../../../src/protocol/job/fold.ts";
import { type Job, rounds, type Validation } from "../../../src/protocol/job/job.ts";
import { incomeOf } from "../../../src/protocol/policy/income.ts";
import { random32, someTerms } from "../../support/chain/terms.ts";
import { endingOf } from "../../support/soak/books.ts";

const account = (n: number): Address => `0x${n.toString(16).padStart(40, "0")}`;
const [requester, provider] = [account(1), account(2)];
const salt = random32();
const digests = [random32(), random32()] as const;

const posted = fold(undefined, {
  ...{ kind: "posted", id: random32(), terms: someTerms(requester, provider), block: 1 },
  ...{ seedTip: salt, sealed: "0x" },
})!;

const measurement = fc
  .record({ digest: fc.constantFrom(...digests), score: fc.constantFrom(0n, 950_000_000n) })
  .map((found) => ({ ...found, salt }));

const seats = fc
  .array(
    fc.record({
      round: fc.constantFrom(...rounds),
      abstained: fc.boolean(),
      commitment: fc.option(fc.constant(salt), { nil: undefined }),
      measurement: fc.option(measurement, { nil: undefined }),
    }),
    { maxLength: 9 },
  )
  .map((list) =>
    list.map(
      (seat, i): Validation => ({
        ...{ ...seat, validator: account(10 + i), drawn: true, sealed: "0x", sealedExam: undefined },
      }),
    ),
  );

const over = fc.record({
  validations: seats,
  ending: fc.constantFrom("Settled" as const, "Cancelled" as const, ...causes),
  round: fc.constantFrom(...rounds),
  verdict: fc.constantFrom("pass" as const, "inconclusive" as const, "none" as const),
  appealed: fc.boolean(),
  appointed: fc.boolean(),
  providerMeasurement: fc.option(measurement, { nil: undefined }),
});

function jobOf({ ending, ...facts }: typeof over extends fc.Arbitrary<infer Facts> ? Facts : never): Job {
  const isCause = ending !== "Settled" && ending !== "Cancelled";
  return {
    ...{ ...posted, ...facts, state: isCause ? "Refunded" : ending, cause: isCause ? ending : undefined },
    paid: ending === "stopped" ? 400n : undefined,
  };
}

test("what a job brings its provider and validators is what the contract's rules give them", () => {
  fc.assert(
    fc.property(over, (facts) => {
      const job = jobOf(facts);
      const { delta } = moneyOf<string>(job.terms, endingOf(job));
      const check = (who: Address, gained: bigint) => {
        const income = incomeOf(job, who)!;
        assert.equal(income.paid - income.slashed, gained, income.role);
      };
      check(provider, delta.get("provider") ?? 0n);
      for (const { validator } of job.validations) check(validator, delta.get(validator) ?? 0n);
    }),
    { numRuns: 2000 },
  );
});

test("a job that is under way, or another's, brings nothing yet", () => {
  assert.equal(incomeOf(posted, provider), undefined);
  assert.equal(incomeOf({ ...posted, state: "Settled" }, account(99)), undefined);
  assert.deepEqual(incomeOf({ ...posted, state: "Settled" }, provider), {
    ...{ role: "provider", paid: posted.terms.price, slashed: 0n },
  });
});
