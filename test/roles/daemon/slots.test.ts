import assert from "node:assert/strict";
import { test } from "node:test";
import { openMachine, openSlots, type Place, type Share } from "../../../src/roles/daemon/slots.ts";

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

test("places hold no more of a machine together than it has, in the order of their calls", async () => {
  const machine = openMachine({ cpus: 4, memory: 100 });
  const [provider, validator] = [openSlots(4, machine), openSlots(4, machine)];
  const [one, two, three] = await Promise.all([1, 2, 3].map(() => provider.take({ signal })));
  const seat = await validator.take({ signal });
  const began: string[] = [];
  const hold = (place: Place, name: string, share: Share) =>
    place
      .hold(share, { signal, onWait: () => began.push(`${name} waits`) })
      .then(() => began.push(`${name} begins`));
  await hold(one!, "one", { cpus: 3, memory: 10 });
  const large = hold(two!, "two", { cpus: 2, memory: 10 });
  const small = hold(seat, "seat", { cpus: 1, memory: 10 }); // would fit, and would pass the one before it
  const heavy = hold(three!, "three", { cpus: 1, memory: 90 });
  assert.deepEqual(began, ["one begins", "two waits", "seat waits", "three waits"]);
  began.length = 0;
  one![Symbol.dispose]();
  one![Symbol.dispose]();
  await Promise.all([large, small]);
  assert.deepEqual(began, ["two begins", "seat begins"]);
  two![Symbol.dispose]();
  seat[Symbol.dispose]();
  await heavy;
});

test("what is larger than the machine is held alone, what was at risk before a restart at once", async () => {
  const machine = openMachine({ cpus: 2, memory: 100 });
  const [one, two] = [
    await machine.hold({ cpus: 8, memory: 1 }, { signal }),
    await machine.hold({ cpus: 2, memory: 1 }, { signal, atRisk: true }),
  ];
  const leaving = new AbortController();
  const gone = assert.rejects(machine.hold({ cpus: 3, memory: 1 }, leaving));
  const next = machine.hold({ cpus: 1, memory: 1 }, { signal });
  one[Symbol.dispose]();
  leaving.abort();
  await gone;
  two[Symbol.dispose]();
  (await next)[Symbol.dispose]();
});
