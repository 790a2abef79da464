import assert from "node:assert/strict";
import { test } from "node:test";
import { openSlots } from "../../../src/roles/daemon/slots.ts";

const { signal } = new AbortController();

test("work waits for a place in the order in which it came, and a place is given back once", async () => {
  const slots = openSlots(1);
  const first = await slots.take({ signal });
  const order: string[] = [];
  const waiting = ["b", "c"].map(async (name) => {
    using _place = await slots.take({ signal });
    order.push(name);
  });
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  await Promise.all(waiting);
  assert.deepEqual(order, ["b", "c"]);
  (await slots.take({ signal }))[Symbol.dispose]();
});

test("what is owed waits for nobody, and others wait until there is a place again", async () => {
  const slots = openSlots(1);
  const [one, two] = [await slots.take({ signal }), await slots.take({ signal, atRisk: true })];
  let begun = false;
  const third = slots.take({ signal }).then(() => {
    begun = true;
  });
  one[Symbol.dispose]();
  await Promise.resolve();
  assert.equal(begun, false);
  two[Symbol.dispose]();
  await third;
});

test("who gives up waiting leaves the queue", async () => {
  const slots = openSlots(1);
  const place = await slots.take({ signal });
  const leaving = new AbortController();
  const gone = assert.rejects(slots.take(leaving));
  const next = slots.take({ signal });
  leaving.abort();
  await gone;
  place[Symbol.dispose]();
  (await next)[Symbol.dispose]();
});
