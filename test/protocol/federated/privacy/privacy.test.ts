import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { trialFileSchema } from "../../../../src/protocol/federated/job-file.ts";
import { epsilonOf } from "../../../../src/protocol/federated/privacy/accountant.ts";
import { clipped } from "../../../../src/protocol/federated/privacy/clip.ts";
import { epsilonAfter, privacySchema } from "../../../../src/protocol/federated/privacy/rule.ts";

const oracles: { mu: number; delta: number; exact: number; renyi: number }[] = JSON.parse(
  readFileSync(new URL("../fixtures/privacy.json", import.meta.url), "utf8"),
);

test("ε is what scipy finds over all orders, and never below the exact value", () => {
  for (const { mu, delta, exact, renyi } of oracles) {
    const epsilon = epsilonOf({ ratio: 1 / mu, rounds: 1, delta });
    assert.ok(epsilon >= exact - 1e-9, `μ ${mu}, δ ${delta}: ${epsilon} is below ${exact}`);
    assert.ok(
      epsilon >= renyi - 1e-6 && epsilon <= renyi * 1.001 + 1e-6,
      `μ ${mu}: ${epsilon}, not ${renyi}`,
    );
  }
});

test("ε agrees with published noise: Balle and Wang's 3.7306 and Dwork and Roth's 4.8448 for ε = 1, δ = 1e-5", () => {
  const published = epsilonOf({ ratio: 3.730631634816464, rounds: 1, delta: 1e-5 });
  assert.ok(published >= 1 && published < 1.1, String(published));
  assert.ok(epsilonOf({ ratio: Math.sqrt(2 * Math.log(1.25e5)), rounds: 1, delta: 1e-5 }) < 1);
});

test("ε of order 2 by hand: 0.5 + ln 1/2 - ln δ - ln 2 where the noise's deviation is √2 times the distance", () => {
  const byHand = 0.5 + Math.log(1 / 2) - Math.log(0.5) - Math.log(2);
  assert.ok(epsilonOf({ ratio: Math.SQRT2, rounds: 1, delta: 0.5 }) <= Math.max(0, byHand) + 1e-9);
  assert.equal(epsilonOf({ ratio: 0, rounds: 1, delta: 1e-5 }), Number.POSITIVE_INFINITY);
  assert.equal(epsilonOf({ ratio: 1, rounds: 0, delta: 1e-5 }), 0);
});

test("ε grows with rounds and falls with noise; four rounds are one with half the noise; Mironov's bound holds", () => {
  const ratio = fc.double({ min: 0.1, max: 100, noNaN: true });
  const delta = fc.double({ min: 1e-12, max: 0.1, noNaN: true });
  fc.assert(
    fc.property(ratio, fc.integer({ min: 1, max: 500 }), delta, (ratio, rounds, delta) => {
      const epsilon = epsilonOf({ ratio, rounds, delta });
      assert.ok(epsilon <= epsilonOf({ ratio, rounds: rounds + 1, delta }));
      assert.ok(epsilon >= epsilonOf({ ratio: ratio * 1.1, rounds, delta }));
      const four = epsilonOf({ ratio, rounds: 4 * rounds, delta });
      assert.ok(Math.abs(four - epsilonOf({ ratio: ratio / 2, rounds, delta })) <= 1e-9 * (1 + four));
      const mu = Math.sqrt(rounds) / ratio;
      assert.ok(epsilon <= (mu * mu) / 2 + mu * Math.sqrt(2 * Math.log(1 / delta)) + 1e-3 * (1 + epsilon));
    }),
    { numRuns: 50 },
  );
  const privacy = privacySchema.parse({ clip: 1, noise: 2 });
  assert.equal(epsilonAfter(privacy, 3), epsilonOf({ ratio: 1, rounds: 3, delta: 1e-5 }));
});

const squareOf = (values: Float64Array): bigint =>
  values.reduce((sum, value) => sum + BigInt(value * 2 ** 24) ** 2n, 0n);

test("a clipped change is never longer than the clip, to the last digit, and keeps its direction", () => {
  const value = fc.oneof(
    fc.double({ min: -200, max: 200, noNaN: true }),
    fc.double({ min: -1e-6, max: 1e-6, noNaN: true }),
  );
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 50 }),
      fc.double({ min: 2 ** -20, max: 1000, noNaN: true }),
      (values, most) => {
        const change = Float64Array.from(values);
        const found = clipped(change, most);
        const bound = BigInt(Math.floor(most * 2 ** 24));
        assert.ok(squareOf(found) <= bound * bound);
        const cut = change.map((one) => Math.max(-127, Math.min(127, one)));
        const norm = Math.sqrt(cut.reduce((sum, one) => sum + one * one, 0));
        const factor = Math.min(1, most / norm);
        for (const [i, one] of found.entries()) {
          assert.ok(Math.abs(one - cut[i]! * factor) <= 2.1 * 2 ** -24, `${one} of ${cut[i]}`);
        }
      },
    ),
  );
  const long = new Float64Array(10_000).fill(126.9);
  assert.ok(squareOf(clipped(long, 3)) <= BigInt(3 * 2 ** 24) ** 2n);
  assert.deepEqual([...clipped(Float64Array.of(3, -4), 5)], [3, -4], "as long as the clip: unchanged");
  assert.throws(() => clipped(Float64Array.of(1, Number.NaN), 1), { code: "UPDATE_INVALID" });
});

test("noise that promises nothing is refused, with a word of what would do", () => {
  const refusal = (federated: object): string | undefined =>
    trialFileSchema.safeParse({
      version: 1,
      name: "a",
      federated: { providers: 10, rounds: 20, strategy: "fedavg", ...federated },
      simulation: { train: { generated: {} } },
    }).error?.issues[0]?.message;
  assert.equal(refusal({ privacy: { clip: 1 }, strategy: "gate" }), undefined, "clips alone");
  assert.equal(refusal({ privacy: { clip: 1, noise: 2 } }), undefined);
  assert.match(refusal({ privacy: { clip: 1, noise: 2 }, strategy: "gate" })!, /own providers/);
  assert.match(refusal({ privacy: { clip: 1, noise: 2, delta: 0.1 } })!, /1 \/ providers/);
  const weak = refusal({ privacy: { clip: 1, noise: 0.1 } })!;
  const least = Number(/at least ([\d.]+)/.exec(weak)![1]);
  assert.equal(refusal({ privacy: { clip: 1, noise: least } }), undefined);
  assert.match(refusal({ privacy: { clip: 1, noise: least - 0.01 } })!, /protects nothing/);
  assert.ok(refusal({ privacy: { clip: 0, noise: 1 } }) !== undefined);
});
