import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PiecePlan, type PieceRange } from "../../../../src/transfer/pieces/reading/piece-plan.ts";

test("missing pieces are claimed in rows, around what is verified", () => {
  const plan = new PiecePlan(10, [2, 6, 7]);
  assert.equal(plan.left, 7);
  const rows = [plan.claim(8), plan.claim(2), plan.claim(8), plan.claim(8), plan.claim(1)];
  assert.deepEqual(
    rows.map((run) => run && [run.start, run.end]),
    [[0, 2], [3, 5], [5, 6], [8, 10], undefined],
  );
});

test("what a run that was answered badly has not brought is asked for piece by piece", () => {
  const plan = new PiecePlan(10, []);
  const bad = plan.claim(4)!;
  plan.verify(bad.next++, bad);
  plan.split(bad);
  plan.release(bad);
  const rows = [1, 2, 3, 4].map(() => plan.claim(8)!);
  assert.deepEqual(
    rows.map((run) => [run.start, run.end]),
    [
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 10],
    ],
  );
});

test("a stolen tail leaves the victim the piece under way", () => {
  const plan = new PiecePlan(8, []);
  const victim = plan.claim(8)!;
  victim.next = 3;
  const thief = plan.steal(victim, 100)!;
  assert.deepEqual([victim.end, thief.start, thief.end], [4, 4, 8]);
  assert.equal(plan.steal(victim, 1), undefined);
  plan.release(thief);
  assert.equal(plan.unclaimed, 4);
});

test("the last piece goes out twice at most, and the slower copy is cancelled", () => {
  const plan = new PiecePlan(1, []);
  const slow = plan.claim(1)!;
  const fast = plan.duplicate(slow)!;
  assert.equal(plan.duplicate(slow), undefined);
  assert.equal(plan.verify(0, fast), true);
  assert.equal(plan.verify(0, slow), false);
  assert.ok(slow.cancel.signal.aborted && !fast.cancel.signal.aborted);
  assert.equal(plan.left, 0);
});

test("whatever lanes do, every piece is verified once and none is lost", () => {
  const act = fc.record({
    kind: fc.constantFrom("claim", "advance", "fail", "split", "steal", "copy"),
    pick: fc.nat(),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.array(act, { maxLength: 200 }), (count, acts) => {
      const plan = new PiecePlan(count, []);
      let verified = 0;
      const finish = (run: PieceRange) => {
        while (run.next < run.end) {
          if (plan.verify(run.next)) verified++;
          run.next++;
        }
        plan.release(run);
      };
      for (const { kind, pick } of acts) {
        const runs = [...plan.runs];
        const run = runs[pick % Math.max(1, runs.length)];
        if (kind === "claim") plan.claim(1 + (pick % 8));
        else if (!run) continue;
        else if (kind === "advance" && run.next < run.end) {
          if (plan.verify(run.next)) verified++;
          run.next++;
        } else if (kind === "fail") plan.release(run);
        else if (kind === "split") plan.split(run);
        else if (kind === "steal") plan.steal(run, 1 + (pick % 4));
        else if (kind === "copy") plan.duplicate(run);
        assert.equal(plan.left, count - verified);
      }
      for (const run of [...plan.runs]) finish(run);
      for (let run = plan.claim(8); run; run = plan.claim(8)) finish(run);
      assert.equal(verified, count);
      assert.equal(plan.left, 0);
      assert.equal(plan.unclaimed, 0);
    }),
  );
});
