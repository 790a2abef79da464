import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { passes, sorted } from "../../src/commands/steps/offers.ts";
import { story } from "../../src/commands/steps/story.ts";
import { due, jobData, jobRows, roleIn } from "../../src/commands/steps/view.ts";
import { COIN as COIN_TOKEN } from "../../src/protocol/amounts.ts";
import type { Address, Hex } from "../../src/protocol/ids.ts";
import { ZERO_ADDRESS } from "../../src/protocol/ids.ts";
import type { Job } from "../../src/protocol/job/job.ts";
import { jobStates } from "../../src/protocol/job/state.ts";
import type { Offer, Rating } from "../../src/protocol/offer.ts";
import { FAILED_RUN } from "../../src/protocol/task/judgement.ts";
import { toJson } from "../../src/ui/format.ts";

const address = (digit: string): Address => `0x${digit.repeat(40)}`;
const word = (digit: string): Hex => `0x${digit.repeat(64)}`;
const COIN = 10n ** 18n;

const rating = (scores: readonly number[], settled = scores.length): Rating => ({
  count: scores.length,
  sum: scores.reduce((sum, score) => sum + score, 0),
  outcomes: { settled, late: 0, rejected: 0, released: 0, abstained: 0, hid: 0, unmet: 0 },
});

function offer(digit: string, change: Partial<Offer> = {}): Offer {
  return {
    account: address(digit),
    provider: true,
    validator: false,
    priceFloor: COIN,
    feeFloor: 0n,
    stake: COIN,
    lockedStake: 0n,
    pooled: false,
    banned: false,
    keys: { openpgpKey: "0x", fingerprint: word("0"), onionKey: word("0") },
    details: {
      version: 1,
      name: "",
      tier: "runc",
      cpus: 1,
      memoryBytes: 1,
      diskBytes: 1,
      gpus: [],
      images: [],
      bundledImages: [],
      pulledImages: [],
      coin: true,
      tokens: [],
    },
    ratingAsProvider: rating([]),
    ratingAsValidator: rating([]),
    ...change,
  };
}

const inCoin = () => COIN_TOKEN;

const job: Job = {
  id: word("a"),
  terms: {
    requester: address("1"),
    provider: address("2"),
    token: ZERO_ADDRESS,
    price: COIN / 20n,
    validatorFee: 0n,
    providerStake: COIN / 10n,
    validatorStake: 0n,
    validators: 1,
    mode: "evaluate",
    tolerance: 1_000_000n,
    threshold: 950_000_000n,
    effort: 0,
    stop: { floor: 1000, cap: 10_000 },
    acceptBy: 1000,
    windows: { run: 1, appoint: 1, commit: 1, reveal: 1, claim: 1, challenge: 1, appeal: 1 },
    specHash: word("0"),
    bundleRoot: word("0"),
    secretHash: word("0"),
  },
  state: "Posted",
  seedTip: word("0"),
  sealedBundle: "0x1234",
  submission: undefined,
  validations: [
    {
      validator: address("3"),
      round: "first",
      sealed: "0x",
      commitment: word("1"),
      measurement: undefined,
      abstained: false,
      drawn: false,
      sealedExam: undefined,
    },
  ],
  providerMeasurement: undefined,
  disclosed: false,
  verdict: "none",
  blindedKey: undefined,
  deadline: 1000,
  committing: true,
  drawing: false,
  seeded: false,
  draws: 0,
  round: "first",
  challenged: false,
  appealed: false,
  cause: undefined,
  reason: undefined,
  sealedLog: undefined,
  paid: undefined,
  providerScore: undefined,
  appointed: false,
  postedBlock: 1,
};

describe("filtering offers", () => {
  const gpu = offer("4", {
    priceFloor: 2n * COIN,
    details: {
      ...offer("4").details,
      tier: "gvisor",
      gpus: [{ model: "H", memoryBytes: 1, driver: "", count: 1 }],
    },
    ratingAsProvider: rating([5, 4]),
  });

  it("drops who is no provider, and who is banned", () => {
    assert.equal(passes(offer("5", { provider: false }), {}), false);
    assert.equal(passes(offer("5", { banned: true }), {}), false);
    assert.equal(passes(offer("5"), {}), true);
  });

  it("holds every filter at its bound", () => {
    assert.deepEqual([passes(gpu, { gpu: true }), passes(offer("5"), { gpu: true })], [true, false]);
    assert.deepEqual([passes(gpu, { minRating: 4.5 }), passes(gpu, { minRating: 4.6 })], [true, false]);
    assert.deepEqual(
      [passes(gpu, { maxPrice: 2n * COIN }), passes(gpu, { maxPrice: 2n * COIN - 1n })],
      [true, false],
    );
    assert.deepEqual([passes(gpu, { tier: "gvisor" }), passes(gpu, { tier: "vm" })], [true, false]);
  });

  it("puts the best standing or the lowest price first, and ties in a stable order", () => {
    const listed = (one: Offer, standing = 0n) => ({ offer: one, standing });
    const [good, bad] = [listed(offer("6"), 5n), listed(offer("7"), -5n)];
    const [b, a, dear] = [listed(offer("9")), listed(offer("8")), listed(gpu)];
    assert.deepEqual(sorted([bad, b, a, good], "rating"), [good, a, b, bad]);
    assert.deepEqual(sorted([dear, bad, b], "price"), [bad, b, dear]);
  });
});

describe("telling where a job stands", () => {
  for (const state of jobStates) {
    it(`says of ${state} where it stands, who is next and what happens otherwise, in sentences`, () => {
      const told = story(
        { ...job, state, ...(state === "Settled" && { deadline: undefined }) },
        900,
        undefined,
        inCoin,
      );
      for (const sentence of [told.stands, told.next, told.otherwise]) {
        assert.match(sentence, /^[A-Z].*\.$/);
        assert.doesNotMatch(sentence, /undefined|NaN|\[object/);
      }
    });
  }

  it("names the deadline, and says when it is over", () => {
    assert.match(story(job, 940, undefined, inCoin).next, /by 1970-01-01 00:16:40 UTC \(in 1 min\)/);
    assert.match(story(job, 1060, undefined, inCoin).next, /is over \(1 min ago\)/);
  });

  it("knows each side's role", () => {
    const sides = ["1", "2", "3", "4"].map((digit) => roleIn(job, address(digit)));
    assert.deepEqual(sides, ["requester", "provider", "validator", undefined]);
    assert.equal(story(job, 0, address("2"), inCoin).role, "provider");
  });

  it("tells a failed run from work that falls short", () => {
    const verdict = "unmet";
    for (const [ending, short, failed] of [
      [
        { ...job, verdict, state: "Rejected" },
        /does not reach the threshold/,
        /^The run failed, as its provider/,
      ],
      [
        { ...job, verdict, state: "Refunded", cause: "unmet" },
        /did not reach the/,
        /^The run failed, and validators/,
      ],
    ] as const) {
      const measured = {
        ...ending,
        providerMeasurement: { digest: FAILED_RUN, score: 0n, salt: "0x" },
      } as const;
      assert.match(story(ending, 900, undefined, inCoin).stands, short);
      assert.match(story(measured, 900, undefined, inCoin).stands, failed);
    }
  });

  it("tells of validators by number, not by guess", () => {
    const told = story({ ...job, state: "Validating" }, 900, undefined, inCoin);
    assert.match(told.stands, /1 of 1 have committed, 0 have revealed/);
  });
});

describe("a job as data", () => {
  it("carries amounts as decimal strings and nothing sealed", () => {
    const text = toJson(jobData(job, undefined, inCoin));
    assert.ok(text.includes(`"price":"${job.terms.price}"`));
    assert.ok(!text.includes("1234"));
  });

  it("names a failed run, whose digest and score mean nothing", () => {
    const providerMeasurement = { digest: FAILED_RUN, score: 0n, salt: "0x" } as const;
    assert.ok(toJson(jobData({ ...job, providerMeasurement }, undefined, inCoin)).includes(`"failed":true`));
    const measured = { ...providerMeasurement, digest: `0x${"1".repeat(64)}` as Hex };
    assert.ok(
      !toJson(jobData({ ...job, providerMeasurement: measured }, undefined, inCoin)).includes("failed"),
    );
    const row = (job: Job) => jobRows(job, 0, inCoin).find(([name]) => name === "measured")?.[1];
    assert.equal(row({ ...job, providerMeasurement }), "a failed run by the provider");
    assert.equal(row({ ...job, providerMeasurement: measured }), "0 by the provider");
  });

  it("names what is due", () => {
    assert.deepEqual(
      [due(job, 995), due(job, 1060), due({ ...job, deadline: undefined }, 0)],
      ["in 5 s", "1 min ago", "-"],
    );
  });
});
