import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Job } from "../../../src/protocol/job/job.ts";
import {
  type AuditPolicy,
  auditPolicySchema,
  decideAudit,
  streakOf,
} from "../../../src/protocol/policy/audit.ts";

const earned: AuditPolicy = auditPolicySchema.parse({ validate: "earned" });

type End = Pick<Job, "state" | "verdict" | "cause">;
const confirmed: End = { state: "Settled", verdict: "pass", cause: undefined };
const unvalidated: End = { state: "Settled", verdict: "none", cause: undefined };
const refunded = (cause: Job["cause"]): End => ({ state: "Refunded", verdict: "none", cause });

/** Oldest first. */
const history = (...ends: End[]) => ends.map((end, i) => ({ ...end, postedBlock: i + 1 }) as Job);
const confirmedTimes = (n: number) => history(...Array<End>(n).fill(confirmed));

describe("a job is validated", () => {
  it("always, until the provider has the record that the policy asks for", () => {
    for (const n of [0, 1, 9]) {
      const audit = decideAudit(confirmedTimes(n), earned, 0.999_999);
      assert.deepEqual([audit.streak, audit.probability, audit.validated], [n, 1, true]);
    }
  });

  it("with probability 1/n after n confirmed jobs, and at least with the floor", () => {
    const policy = { ...earned, floor: 0.02 };
    for (const [n, probability] of [
      [10, 1 / 10],
      [25, 1 / 25],
      [50, 0.02],
      [400, 0.02],
    ] as const) {
      assert.equal(decideAudit(confirmedTimes(n), policy, 0).probability, probability);
    }
    assert.equal(decideAudit(confirmedTimes(300), { ...earned, floor: 1 }, 0.999_999).validated, true);
  });

  it("when the drawn chance is below the probability, not at it", () => {
    const drawn = (chance: number) => decideAudit(confirmedTimes(10), earned, chance).validated;
    assert.deepEqual([drawn(0), drawn(0.099), drawn(0.1), drawn(0.999)], [true, true, false, false]);
  });

  it("always, under the default policy, with any record", () => {
    assert.equal(decideAudit(confirmedTimes(500), auditPolicySchema.parse({}), 0.999_999).validated, true);
  });
});

describe("a provider's record", () => {
  it("starts from zero after a job that ended by its fault", () => {
    for (const cause of ["runMissed", "claimMissed", "rejected", "hid"] as const) {
      assert.equal(streakOf(history(confirmed, confirmed, refunded(cause), confirmed)), 1, cause);
    }
    assert.equal(streakOf(history(confirmed, { state: "Rejected", verdict: "fail", cause: undefined })), 0);
  });

  it("is not changed by jobs that ended otherwise", () => {
    const silent = [refunded("released"), refunded("inconclusive"), unvalidated];
    const open: End[] = [
      { state: "Cancelled", verdict: "none", cause: undefined },
      { state: "Validated", verdict: "pass", cause: undefined },
      { state: "Claimed", verdict: "none", cause: undefined },
    ];
    assert.equal(streakOf(history(confirmed, ...silent, ...open, confirmed)), 2);
  });

  it("does not depend on the order of the jobs", () => {
    const jobs = history(confirmed, refunded("hid"), confirmed, confirmed);
    assert.equal(streakOf(jobs.toReversed()), 2);
    assert.equal(streakOf(jobs), 2);
  });
});
