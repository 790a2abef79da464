import assert from "node:assert/strict";
import { test } from "node:test";
import type { Address, Hex } from "../../../src/protocol/ids.ts";
import type { JobEvent } from "../../../src/protocol/job/events.ts";
import { drawTurnOf, exitOf, isAppealable } from "../../../src/protocol/job/exits.ts";
import { fold } from "../../../src/protocol/job/fold.ts";
import type { Job } from "../../../src/protocol/job/job.ts";
import { someTerms } from "../../support/chain/terms.ts";

const [requester, provider, anna, bert] = ["1", "2", "a", "b"].map(
  (digit) => `0x${digit.repeat(40)}` as Address,
);
const terms = someTerms(requester!, provider!, { acceptBy: 1000 });
const hash = (digit: string) => `0x${digit.repeat(64)}` as Hex;
const finding = { digest: hash("d"), score: 5n, salt: hash("5") };
const posted: JobEvent = {
  kind: "posted",
  id: hash("1"),
  terms,
  seedTip: hash("6"),
  sealed: "0xb0",
  block: 7,
};
const accepted: JobEvent = { kind: "accepted", deadline: 2000 };
const submitted: JobEvent = {
  kind: "submitted",
  resultRoot: hash("3"),
  measurementCommitment: hash("4"),
  keyCommitment: hash("5"),
  seedTip: hash("7"),
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
const idle = { committing: false, drawing: false, verdict: "none" };

test("an event before `posted` gives no job", () => {
  assert.equal(fold(undefined, accepted), undefined);
});

test("each step of a validated job sets state and deadline", () => {
  const path = [posted, accepted, submitted];
  assert.deepEqual(brief(after(posted)), { state: "Posted", deadline: 1000, ...idle });
  assert.deepEqual(brief(after(posted, accepted)), { state: "Accepted", deadline: 2000, ...idle });
  assert.deepEqual(brief(after(...path)), { state: "Submitted", deadline: 3000, ...idle });
  const both = [...path, appointed(anna), appointed(bert)];
  assert.deepEqual(brief(after(...both)), { ...idle, state: "Validating", deadline: 4000, committing: true });
  assert.equal(after(...both, committed(bert, 1)).committing, true);
  const all = [...both, committed(bert, 1), committed(anna, 0)];
  assert.deepEqual(brief(after(...all)), { ...idle, state: "Validating", deadline: 5000 });
  const judged: JobEvent = { kind: "judged", verdict: "pass", deadline: 6000 };
  assert.deepEqual(brief(after(...all, judged)), {
    ...idle,
    state: "Validated",
    deadline: 6000,
    verdict: "pass",
  });
  const claimed: JobEvent = { kind: "claimed", blindedKey: hash("9"), deadline: 0 };
  const done = after(...all, judged, claimed, { kind: "settled" });
  assert.deepEqual(brief(done), { ...idle, state: "Settled", deadline: undefined, verdict: "pass" });
  assert.equal(done.blindedKey, hash("9"));
});

test("a measurement is attributed to its author, not to the sender of the transaction", () => {
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

test("a validator that abstains or is dismissed stays marked, and its replacement is drawn", () => {
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
      deadline: 4000,
    },
    left,
  );
  assert.deepEqual(
    job.validations.map(({ abstained }) => abstained),
    [false, true],
  );
  assert.deepEqual([job.drawing, job.committing], [true, true]);
  const [carl] = [`0x${"c".repeat(40)}` as Address];
  const seeded = fold(job, { kind: "seedRevealed", deadline: 4200 });
  assert.deepEqual([seeded?.seeded, seeded?.draws, seeded?.deadline], [true, 1, 4200]);
  const seat: JobEvent = { kind: "appointed", validator: carl, drawn: true, deadline: 4500, sealed: "0x" };
  const refilled = fold(fold(seeded, seat), { kind: "drawn", pending: 1, deadline: 4500 });
  assert.deepEqual([refilled?.drawing, refilled?.committing, refilled?.deadline], [false, true, 4500]);
  assert.equal(refilled?.seeded, false);
  const handed = fold(refilled, { kind: "handedOver", validator: carl, sender: provider!, sealed: "0xcc" });
  assert.equal(handed?.validations.at(-1)?.sealed, "0xcc");
  // Not from the requester: with a wrong locator it could have the provider blamed. It has the exam alone.
  const astray = fold(handed, { kind: "handedOver", validator: carl, sender: requester!, sealed: "0xee" });
  const { drawn, sealed, sealedExam } = astray!.validations.at(-1)!;
  assert.deepEqual([drawn, sealed, sealedExam], [true, "0xcc", "0xee"]);
  const stranger = fold(astray, { kind: "handedOver", validator: carl, sender: carl, sealed: "0xdd" });
  assert.deepEqual(stranger, astray);
  assert.equal(after(...base).validations[0]?.abstained, false);
});

test("an appeal starts a round without a verdict, and its verdict is final", () => {
  const base = [posted, accepted, submitted, appointed(anna), committed(anna, 0)];
  const failed: JobEvent = { kind: "judged", verdict: "fail", deadline: 6000 };
  const appealed = after(
    ...base,
    failed,
    { kind: "appealed" },
    { kind: "drawScheduled", seats: 3, deadline: 6500 },
  );
  assert.deepEqual(brief(appealed), {
    state: "Validating",
    deadline: 6500,
    committing: true,
    drawing: true,
    verdict: "none",
  });
  assert.equal(fold(appealed, { kind: "judged", verdict: "pass", deadline: 7000 })?.state, "Validated");
});

test("in optimistic mode a claim starts the challenge window, and a challenge a draw", () => {
  const claimed = after(posted, accepted, submitted, {
    kind: "claimed",
    blindedKey: hash("9"),
    deadline: 3500,
  });
  assert.deepEqual(brief(claimed), { state: "Claimed", deadline: 3500, ...idle });
  assert.equal(fold(claimed, { kind: "challenged" })?.state, "Validating");
});

test("a refund has a reason, the provider's own where it gave one", () => {
  const late = after(posted, accepted, { kind: "refunded", cause: "runMissed" });
  assert.equal(late.state, "Refunded");
  assert.match(late.reason ?? "", /in time/);
  const back = after(
    posted,
    accepted,
    { kind: "released", reason: "bad input", sealedLog: "0x12" },
    { kind: "refunded", cause: "released" },
  );
  assert.deepEqual([back.reason, back.sealedLog], ["bad input", "0x12"]);
  const stopped = after(
    posted,
    accepted,
    { kind: "stopped", paid: 7n },
    { kind: "refunded", cause: "stopped" },
  );
  assert.deepEqual([stopped.state, stopped.cause, stopped.paid], ["Refunded", "stopped", 7n]);
});

test("a cancelled job has no deadline; a rating adds the provider's score, if it is the requester's", () => {
  const job = after(posted, { kind: "cancelled" });
  assert.deepEqual(brief(job), { state: "Cancelled", deadline: undefined, ...idle });
  const rated = (rater: Address, subject: Address) => fold(job, { kind: "rated", rater, subject, score: 5 });
  assert.deepEqual(rated(requester!, provider!), { ...job, providerScore: 5 });
  assert.deepEqual(rated(provider!, requester!), job);
});

test("a challenge has the claim judged, and every verdict is left by settle", () => {
  const optimistic = { ...terms, validators: 0 };
  const claimed = after({ ...posted, terms: optimistic }, accepted, submitted, {
    kind: "claimed",
    blindedKey: hash("6"),
    deadline: 3500,
  });
  assert.deepEqual([claimed.state, claimed.deadline, claimed.challenged], ["Claimed", 3500, false]);
  assert.deepEqual([exitOf(claimed, 3500), exitOf(claimed, 3501)], [undefined, "settle"]);
  const drawn: JobEvent = { kind: "drawScheduled", seats: 3, deadline: 4000 };
  const challenged = fold(fold(claimed, { kind: "challenged" }), drawn);
  assert.ok(challenged?.challenged && challenged.drawing);
  assert.equal(exitOf(challenged, 4000), undefined);
  for (const verdict of ["pass", "inconclusive"] as const) {
    const judged = fold(challenged, { kind: "judged", verdict, deadline: 5000 });
    assert.ok(judged);
    assert.equal(exitOf(judged, 5000), "settle", verdict);
  }
  const shown: JobEvent = { kind: "revealed", author: provider!, measurement: finding };
  const failed = fold(fold(challenged, shown), { kind: "judged", verdict: "fail", deadline: 5000 });
  assert.ok(failed);
  assert.deepEqual([exitOf(failed, 5000), exitOf(failed, 5001)], [undefined, "settle"]);
  const lost = fold(failed, { kind: "refunded", cause: "rejected" });
  assert.deepEqual([lost?.state, lost?.cause], ["Refunded", "rejected"]);
});

test("a draw needs the requester's seed, then the provider's, and goes on without a missing one", () => {
  const { reveal } = terms.windows;
  const base = [posted, accepted, submitted, appointed(anna), committed(anna, 0)];
  const rejected = after(
    ...base,
    { kind: "revealed", author: provider!, measurement: finding },
    { kind: "judged", verdict: "fail", deadline: 6000 },
  );
  assert.ok(isAppealable(rejected));
  const scheduled = [
    { kind: "appealed" },
    { kind: "drawScheduled", seats: 3, deadline: 7000 },
  ] satisfies JobEvent[];
  const drawing = scheduled.reduce<Job | undefined>(fold, rejected)!;
  assert.deepEqual(
    [7000, 7001, 7000 + reveal, 7001 + reveal].map((now) => drawTurnOf(drawing, now)),
    ["requester", "provider", "provider", undefined],
  );
  assert.deepEqual([exitOf(drawing, 7000 + reveal), exitOf(drawing, 7001 + reveal)], [undefined, "conclude"]);
  const seeded = fold(drawing, { kind: "seedRevealed", deadline: 7500 })!;
  assert.deepEqual(
    [drawTurnOf(seeded, 7500), drawTurnOf(seeded, 7501), exitOf(seeded, 7501)],
    ["provider", undefined, "conclude"],
  );
});

test("when the requester appoints nobody the provider has a window to draw, then the job expires", () => {
  const job = after(posted, accepted, submitted);
  const last = 3000 + terms.windows.claim;
  assert.deepEqual(
    [3000, 3001, last, last + 1].map((now) => [drawTurnOf(job, now), exitOf(job, now)]),
    [
      [undefined, undefined],
      ["provider", undefined],
      ["provider", undefined],
      [undefined, "expire"],
    ],
  );
});

test("the provider can disclose after a validator that reveals in the last second", () => {
  const { reveal } = terms.windows;
  const base = [posted, accepted, submitted, appointed(anna), committed(anna, 0)];
  const revealed: JobEvent = { kind: "revealed", author: anna!, measurement: finding };
  assert.equal(exitOf(after(...base), 5001), "conclude");
  const waiting = after(...base, revealed);
  assert.deepEqual([exitOf(waiting, 5000 + reveal), exitOf(waiting, 5001 + reveal)], [undefined, "conclude"]);
});

test("a missing verdict can be appealed, except after a challenge", () => {
  const none: JobEvent = { kind: "judged", verdict: "inconclusive", deadline: 6000 };
  const job = after(posted, accepted, submitted, appointed(anna), committed(anna, 0), none);
  assert.ok(isAppealable(job));
  assert.deepEqual([exitOf(job, 6000), exitOf(job, 6001)], [undefined, "settle"]);
  const again = [{ kind: "appealed" }, none] satisfies JobEvent[];
  const final = again.reduce<Job | undefined>(fold, job)!;
  assert.deepEqual([isAppealable(final), exitOf(final, 6000)], [false, "settle"]);
});
