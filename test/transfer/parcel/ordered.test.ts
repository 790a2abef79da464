import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inOrder } from "../../../src/transfer/parcel/ordered.ts";

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of source) all.push(one);
  return all;
}

test("results come in the order of the items, with at most the width at work at once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(10),
      async (scheduler, width, count) => {
        let [running, most] = [0, 0];
        async function* source() {
          for (let i = 0; i < count; i++) yield i;
        }
        const work = async (i: number) => {
          most = Math.max(most, ++running);
          await scheduler.schedule(Promise.resolve());
          running--;
          return i;
        };
        const collected = collect(inOrder(source(), width, work));
        await scheduler.waitFor(collected);
        assert.deepEqual(
          await collected,
          Array.from({ length: count }, (_, i) => i),
        );
        assert.ok(most <= width);
      },
    ),
  );
});

test("the source is closed after a failed item, a failed source, and a consumer that stops", async () => {
  let closed = 0;
  async function* source(failAt = 100) {
    try {
      for (let i = 0; i < 10; i++) {
        if (i === failAt) throw new RangeError("source");
        yield i;
      }
    } finally {
      closed++;
    }
  }
  const work = async (i: number) => (i === 4 ? Promise.reject(new TypeError("work")) : i);
  await assert.rejects(collect(inOrder(source(), 3, work)), TypeError);
  await assert.rejects(collect(inOrder(source(2), 3, work)), RangeError);
  for await (const _ of inOrder(source(), 3, work)) break;
  assert.equal(closed, 3);
});
