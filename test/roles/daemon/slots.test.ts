import assert from "node:assert/strict";
import { test } from "node:test";
import { openSlots } from "../../../src/roles/daemon/slots.ts";

const { signal } = new AbortController();

test("work gets places in the order of its calls, and a place is given back once", async () => {
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

test("work at risk does not wait, and other work waits until a place is free", async () => {
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

test("work that is aborted leaves the queue", async () => {
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

test("an abort after its turn has come takes no other work out of the queue", async () => {
  const slots = openSlots(1);
  const first = await slots.take({ signal });
  const leaving = new AbortController();
  const second = slots.take(leaving);
  const third = slots.take({ signal });
  first[Symbol.dispose]();
  leaving.abort();
  (await second)[Symbol.dispose]();
  (await third)[Symbol.dispose]();
});

test("places that are added are taken at once, and those that are removed once they are given back", async () => {
  const slots = openSlots(1);
  const first = await slots.take({ signal });
  const second = slots.take({ signal });
  slots.resize(2);
  const place = await second;
  slots.resize(1);
  let begun = false;
  const third = slots.take({ signal }).then((taken) => {
    begun = true;
    return taken;
  });
  place[Symbol.dispose]();
  await Promise.resolve();
  assert.equal(begun, false);
  first[Symbol.dispose]();
  await third;
});
