import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobEvent } from "../../src/protocol/events.ts";
import { exitOf } from "../../src/protocol/exits.ts";
import { fold } from "../../src/protocol/fold.ts";
import type { Address, Hex } from "../../src/protocol/ids.ts";
import type { Job } from "../../src/protocol/job.ts";
import { someTerms } from "../support/terms.ts";

const [requester, provider, anna, bert] = ["1", "2", "a", "b"].map(
  (digit) => `0x${digit.repeat(40)}` as Address,
);
const terms = someTerms(requester!, provider!, { acceptBy: 1000 });
const hash = (digit: string) => `0x${digit.repeat(64)}` as Hex;
const finding = { digest: hash("d"), score: 5n, salt: hash("5") };
const posted: JobEvent = { kind: "posted", id: hash("1"), terms, sealed: "0xb0", block: 7 };
const accepted: JobEvent = { kind: "accepted", deadline: 2000 };
const submitted: JobEvent = {
  kind: "submitted",
  resultRoot: hash("3"),
  measurementCommitment: hash("4"),
  keyCommitment: hash("5"),
  deadline: 3000,
  sealed: "0x5e",
};
const appointed = (validator: Address | undefined, deadline = 4000): JobEvent => ({
  kind: "appointed",
  validator: validator!,
  drawn: false,
  deadline,
  sealed: "0xa0",
});
const committed = (validator: Address | undefined, pending: number): JobEvent => ({
  kind: "committed",
  validator: validator!,
  commitment: hash("c"),
  pending,
  deadline: pending === 0 ? 5000 : 4000,
});

function after(...events: JobEvent[]): Job {
  const job = events.reduce<Job | undefined>(fold, undefined);
  assert.ok(job);
  return job;
}
const brief = ({ state, deadline, committing, drawing, verdict }: Job) => ({
  state,
  deadline,
  committing,
  drawing,
  verdict,
});
const calm = { committing: false, drawing: false, verdict: "none" };

test("nothing is known of a job before it is posted", () => {
  assert.equal(fold(undefined, accepted), undefined);
});

test("each step of the validated path sets state and deadline", () => {
  const path = [posted, accepted, submitted];
  assert.deepEqual(brief(after(posted)), { state: "Posted", deadline: 1000, ...calm });
  assert.deepEqual(brief(after(posted, accepted)), { state: "Accepted", deadline: 2000, ...calm });
  assert.deepEqual(brief(after(...path)), { state: "Submitted", deadline: 3000, ...calm });
  const both = [...path, appointed(anna), appointed(bert)];
  assert.deepEqual(brief(after(...both)), { ...calm, state: "Validating", deadline: 4000, committing: true });
  assert.equal(after(...both, committed(bert, 1)).committing, true);
  const all = [...both, committed(bert, 1), committed(anna, 0)];
  assert.deepEqual(brief(after(...all)), { ...calm, state: "Validating", deadline: 5000 });
  const judged: JobEvent = { kind: "judged", verdict: "pass", deadline: 6000 };
  assert.deepEqual(brief(after(...all, judged)), {
    ...calm,
    state: "Validated",
    deadline: 6000,
    verdict: "pass",
  });
  const claimed: JobEvent = { kind: "claimed", blindedKey: hash("9"), deadline: 0 };
  const done = after(...all, judged, claimed, { kind: "settled" });
  assert.deepEqual(brief(done), { ...calm, state: "Settled", deadline: undefined, verdict: "pass" });
  assert.equal(done.blindedKey, hash("9"));
});

test("a revelation goes to its author, whoever sent it", () => {
  const base = [
    posted,
    accepted,
    submitted,
    appointed(anna),
    appointed(bert),
    committed(anna, 1),
    committed(bert, 0),
  ];
  const job = after(
    ...base,
    { kind: "revealed", author: bert!.toUpperCase().replace("0X", "0x") as Address, measurement: finding },
    { kind: "revealed", author: provider!, measurement: { ...finding, score: 6n } },
  );
  assert.equal(job.providerMeasurement?.score, 6n);
  assert.deepEqual(
    job.validations.map(({ validator, measurement }) => [validator, measurement?.score]),
    [
      [anna, undefined],
      [bert, 5n],
    ],
  );
});

test("who stands down or is dismissed keeps a mark, and its replacement is drawn", () => {
  const base = [posted, accepted, submitted, appointed(anna), committed(anna, 0)];
  const left: JobEvent = {
    kind: "abstained",
    validator: bert!,
    reason: "no GPU",
    pending: 1,
    deadline: 4000,
  };
  const job = after(
    posted,
    accepted,
    submitted,
    appointed(anna),
    appointed(bert),
    committed(anna, 1),
    {
      kind: "drawScheduled",
      seats: 1,
      seedBlock: 99,
    },
    left,
  );
  assert.deepEqual(
    job.validations.map(({ abstained }) => abstained),
    [false, true],
  );
  assert.deepEqual([job.drawing, job.committing], [true, true]);
  const [carl] = [`0x${"c".repeat(40)}` as Address];
  const refilled = fold(job, {
    kind: "appointed",
    validator: carl,
    drawn: true,
    deadline: 4500,
    sealed: "0x",
  });
  assert.deepEqual([refilled?.drawing, refilled?.committing, refilled?.deadline], [false, true, 4500]);
  const handed = fold(refilled, { kind: "handedOver", validator: carl, sender: requester!, sealed: "0xcc" });
  assert.equal(handed?.validations.at(-1)?.sealed, "0xcc");
  assert.equal(after(...base).validations[0]?.abstained, false);
});

test("an appeal starts a round without verdict, and its verdict stands", () => {
  const base = [posted, accepted, submitted, appointed(anna), committed(anna, 0)];
  const failed: JobEvent = { kind: "judged", verdict: "fail", deadline: 6000 };
  const appealed = after(
    ...base,
    failed,
    { kind: "appealed" },
    { kind: "drawScheduled", seats: 3, seedBlock: 9 },
  );
  assert.deepEqual(brief(appealed), {
    state: "Validating",
    deadline: undefined,
    committing: true,
    drawing: true,
    verdict: "none",
  });
  assert.equal(fold(appealed, { kind: "judged", verdict: "pass", deadline: 7000 })?.state, "Validated");
});

test("in optimistic mode a claim opens a window, a challenge a panel", () => {
  const claimed = after(posted, accepted, submitted, {
    kind: "claimed",
    blindedKey: hash("9"),
    deadline: 3500,
  });
  assert.deepEqual(brief(claimed), { state: "Claimed", deadline: 3500, ...calm });
  assert.equal(fold(claimed, { kind: "challenged" })?.state, "Validating");
});

test("a refund tells its reason, the provider's own words before ours", () => {
  const late = after(posted, accepted, { kind: "refunded", cause: "runMissed" });
  assert.equal(late.state, "Refunded");
  assert.match(late.reason ?? "", /in time/);
  const back = after(
    posted,
    accepted,
    { kind: "released", reason: "bad input" },
    { kind: "refunded", cause: "released" },
  );
  assert.equal(back.reason, "bad input");
});

test("a cancelled job has no deadline; a rating changes nothing", () => {
  const job = after(posted, { kind: "cancelled" });
  assert.deepEqual(brief(job), { state: "Cancelled", deadline: undefined, ...calm });
  assert.deepEqual(fold(job, { kind: "rated", rater: requester!, subject: provider!, score: 5 }), job);
});

test("a challenge has the claim judged, and settle is the way out of every verdict", () => {
  const optimistic = { ...terms, validators: 0 };
  const claimed = after({ ...posted, terms: optimistic }, accepted, submitted, {
    kind: "claimed",
    blindedKey: hash("6"),
    deadline: 3500,
  });
  assert.deepEqual([claimed.state, claimed.deadline, claimed.challenged], ["Claimed", 3500, false]);
  assert.deepEqual([exitOf(claimed, 3500), exitOf(claimed, 3501)], [undefined, "settle"]);
  const drawn: JobEvent = { kind: "drawScheduled", seats: 3, seedBlock: 9 };
  const challenged = fold(fold(claimed, { kind: "challenged" }), drawn);
  assert.ok(challenged?.challenged && challenged.drawing);
  assert.equal(exitOf(challenged, 0), "draw");
  for (const verdict of ["pass", "inconclusive"] as const) {
    const judged = fold(challenged, { kind: "judged", verdict, deadline: 5000 });
    assert.ok(judged);
    assert.equal(exitOf(judged, 5000), "settle", verdict);
  }
  const failed = fold(challenged, { kind: "judged", verdict: "fail", deadline: 5000 });
  assert.ok(failed);
  assert.deepEqual([exitOf(failed, 5000), exitOf(failed, 5001)], [undefined, "settle"]);
  const lost = fold(failed, { kind: "refunded", cause: "rejected" });
  assert.deepEqual([lost?.state, lost?.cause], ["Refunded", "rejected"]);
});
