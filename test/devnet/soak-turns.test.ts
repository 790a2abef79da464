import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fold } from "../../src/protocol/job/fold.ts";
import type { Job } from "../../src/protocol/job/job.ts";
import { requesterTip } from "../support/chain/secrets.ts";
import { random32, someTerms } from "../support/chain/terms.ts";
import { slope } from "../support/soak/gauge.ts";
import { type Known, standingOf, turnOf } from "../support/soak/turn.ts";

const terms = someTerms(`0x${"1".repeat(40)}`, `0x${"2".repeat(40)}`, { acceptBy: 1000 });
const posted = fold(undefined, {
  ...{ kind: "posted", id: random32(), terms, seedTip: requesterTip, sealed: "0x", block: 1 },
})!;
const at = (change: Partial<Job>): Job => ({ ...posted, deadline: 1000, ...change });
const honest: Known = { bad: undefined, away: false, quiet: 1000 };

describe("a soak's clock", () => {
  test("stands while an honest party is at work, however long that takes", () => {
    for (const job of [
      at({ state: "Posted" }),
      at({ state: "Accepted" }),
      at({ state: "Submitted" }),
      at({ state: "Claimed" }),
      at({ state: "Validating", committing: true }),
      at({ state: "Validating", committing: true, drawing: true }),
      at({ state: "Validated" }),
      at({ state: "Rejected", disclosed: true }),
    ])
      assert.equal(standingOf(job, 500, honest), "moves", job.state);
  });

  test("goes on when the one whose turn it is will not take it", () => {
    const bad = (kind: Known["bad"]): Known => ({ bad: kind, away: false, quiet: 0 });
    assert.equal(standingOf(at({ state: "Accepted" }), 500, bad("vanish")), "blocked");
    assert.equal(standingOf(at({ state: "Validated" }), 500, bad("no-key")), "blocked");
    assert.equal(standingOf(at({ state: "Accepted" }), 500, bad("no-key")), "moves");
    assert.equal(standingOf(at({ state: "Submitted" }), 500, { ...honest, away: true }), "blocked");
    const drawing = at({ state: "Validating", drawing: true, committing: true, seeded: true });
    assert.equal(standingOf(drawing, 500, bad("no-seed")), "blocked");
  });

  test("stands again once an exit is open to somebody honest", () => {
    const over = at({ state: "Accepted" });
    assert.equal(turnOf(over, 1001), "anyone");
    assert.equal(standingOf(over, 1001, { bad: "vanish", away: false, quiet: 1000 }), "moves");
    assert.equal(standingOf(over, 1001, { bad: "vanish", away: true, quiet: 1000 }), "orphaned");
    assert.equal(standingOf(at({ state: "Posted" }), 1001, { ...honest, away: true }), "orphaned");
  });

  test("waits in a submitted job for the requester, then for the provider, then for anyone", () => {
    const submitted = at({ state: "Submitted" });
    const turns = [1000, 1001, 1600, 1601].map((now) => turnOf(submitted, now));
    assert.deepEqual(turns, ["requester", "provider", "provider", "anyone"]);
  });
});

test("growth is the slope of least squares", () => {
  const line = Array.from({ length: 9 }, (_, i) => [10 * i, 7 + 30 * i] as const);
  assert.equal(slope(line), 3);
  assert.equal(slope([[5, 5]]), 0);
});
