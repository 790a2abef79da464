import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PiecePlan, type PieceRange } from "../../../../src/transfer/pieces/reading/piece-plan.ts";

test("missing pieces are claimed in consecutive ranges that skip verified ones", () => {
  const plan = new PiecePlan(10, [2, 6, 7]);
  assert.equal(plan.left, 7);
  const rows = [plan.claim(8), plan.claim(2), plan.claim(8), plan.claim(8), plan.claim(1)];
  assert.deepEqual(
    rows.map((range) => range && [range.start, range.end]),
    [[0, 2], [3, 5], [5, 6], [8, 10], undefined],
  );
});

test("after a bad answer the unverified pieces of a range are requested one at a time", () => {
  const plan = new PiecePlan(10, []);
  const bad = plan.claim(4)!;
  plan.verify(bad.next++, bad);
  plan.split(bad);
  plan.release(bad);
  const rows = [1, 2, 3, 4].map(() => plan.claim(8)!);
  assert.deepEqual(
    rows.map((range) => [range.start, range.end]),
    [
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 10],
    ],
  );
});

test("taking over a tail leaves the other lane the piece under way", () => {
  const plan = new PiecePlan(8, []);
  const victim = plan.claim(8)!;
  victim.next = 3;
  const thief = plan.steal(victim, 100)!;
  assert.deepEqual([victim.end, thief.start, thief.end], [4, 4, 8]);
  assert.equal(plan.steal(victim, 1), undefined);
  plan.release(thief);
  assert.equal(plan.unclaimed, 4);
});

test("the last piece is requested twice at most, and the slower copy is cancelled", () => {
  const plan = new PiecePlan(1, []);
  const slow = plan.claim(1)!;
  const fast = plan.duplicate(slow)!;
  assert.equal(plan.duplicate(slow), undefined);
  assert.equal(plan.verify(0, fast), true);
  assert.equal(plan.verify(0, slow), false);
  assert.ok(slow.cancel.signal.aborted && !fast.cancel.signal.aborted);
  assert.equal(plan.left, 0);
});

test("every piece is verified once and none is lost, in any order of events", () => {
  const act = fc.record({
    kind: fc.constantFrom("claim", "advance", "fail", "split", "steal", "copy"),
    pick: fc.nat(),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.array(act, { maxLength: 200 }), (count, acts) => {
      const plan = new PiecePlan(count, []);
      let verified = 0;
      const finish = (range: PieceRange) => {
        while (range.next < range.end) {
          if (plan.verify(range.next)) verified++;
          range.next++;
        }
        plan.release(range);
      };
      for (const { kind, pick } of acts) {
        const ranges = [...plan.ranges];
        const range = ranges[pick % Math.max(1, ranges.length)];
        if (kind === "claim") plan.claim(1 + (pick % 8));
        else if (!range) continue;
        else if (kind === "advance" && range.next < range.end) {
          if (plan.verify(range.next)) verified++;
          range.next++;
        } else if (kind === "fail") plan.release(range);
        else if (kind === "split") plan.split(range);
        else if (kind === "steal") plan.steal(range, 1 + (pick % 4));
        else if (kind === "copy") plan.duplicate(range);
        assert.equal(plan.left, count - verified);
      }
      for (const range of [...plan.ranges]) finish(range);
      for (let range = plan.claim(8); range; range = plan.claim(8)) finish(range);
      assert.equal(verified, count);
      assert.equal(plan.left, 0);
      assert.equal(plan.unclaimed, 0);
    }),
  );
});
