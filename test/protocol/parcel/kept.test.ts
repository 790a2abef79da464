import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { excessOf, type Held, heldUntil, keepRuleSchema } from "../../../src/protocol/parcel/kept.ts";
import { policySchema } from "../../../src/protocol/policy/policy.ts";
import { jobFileSchema, specSchema } from "../../../src/protocol/task/spec.ts";

const DAY = 86_400;
const root = `0x${"ab".repeat(32)}` as const;
const held = (bytes: number, usedAt: number, until: number): Held => ({ root, bytes, usedAt, until });
const job = (inputs: unknown, verification: object = {}) =>
  jobFileSchema.safeParse({
    ...{ version: 1, name: "a", image: "i", command: ["x"], outputs: ["y"], inputs },
    verification: { threshold: 0, ...verification },
  });

test("an input that is kept is an input like any other, and listed with its time", () => {
  const { data } = job(["train.py", { path: "data", keep: "7d" }]);
  assert.deepEqual([data?.inputs, data?.kept], [["train.py", "data"], [{ path: "data", keep: 7 * DAY }]]);
  assert.equal("kept" in job(["train.py"]).data!, false);
});

test("an input is not kept for no time or years, nor where it shares files with another", () => {
  const kept = (path: string) => ({ path, keep: "1d" });
  for (const inputs of [
    [{ path: "data", keep: "0s" }],
    [{ path: "data", keep: "366d" }],
    [{ path: "data" }],
    [".", kept("data")],
    [kept("data"), "data/small"],
    [kept("data"), kept("./data/")],
    [kept("exam/x"), "exam"],
    Array.from({ length: 9 }, (_, i) => kept(`d${i}`)),
  ])
    assert.equal(job(inputs).success, false, JSON.stringify(inputs));
  assert.equal(job([kept("data"), "data2", kept("datum")]).success, true);
  const exam = { mode: "exam", inputs: ["data/test"] };
  assert.equal(job([kept("data")], exam).success, false);
});

test("a spec with more kept parts than a job may have, or endless ones, is refused", () => {
  const resources = { cpus: 1, memory: 1, disk: 1, time: 1, gpus: 0 };
  const { verification } = job(["x"]).data!;
  const spec = {
    ...{ version: 1, name: "a", image: `sha256:${"ab".repeat(32)}`, command: ["x"], outputs: ["y"] },
    ...{ resources, verification, tier: "runc" },
  };
  const part = { root, key: root, bytes: 1, keep: 1 };
  const takes = (kept: unknown) => specSchema.safeParse({ ...spec, kept }).success;
  assert.equal(takes([part]), true);
  for (const kept of [[], Array(9).fill(part), [{ ...part, bytes: 0 }], [{ ...part, keep: 1e9 }], [{ root }]])
    assert.equal(takes(kept), false, JSON.stringify(kept));
});

test("a part is held as long as its requester asks for and the policy allows", () => {
  const rule = policySchema.parse({}).keep;
  assert.deepEqual(rule, { maxBytes: 2 ** 31, maxAge: 7 * DAY });
  assert.equal(heldUntil(1000, { keep: DAY }, rule), 1000 + DAY);
  assert.equal(heldUntil(1000, { keep: 300 * DAY }, rule), 1000 + 7 * DAY);
  assert.equal(heldUntil(1000, { keep: DAY }, keepRuleSchema.parse({ maxAge: "1h" })), 1000 + 3600);
});

test("what is over its time goes, then the longest unused until the rest fits", () => {
  const over = held(1, 9, 10);
  const old = held(5, 1, 100);
  const recent = held(5, 2, 100);
  assert.deepEqual(excessOf([recent, over, old], 10, 10), [over]);
  assert.deepEqual(excessOf([recent, over, old], 9, 10), [over, old]);
  assert.deepEqual(excessOf([recent, over, old], 0, 10), [over, old, recent]);
});

test("what is left always fits, and nothing is removed that could have stayed with what is older", () => {
  const some = fc.record({
    bytes: fc.integer({ min: 1, max: 50 }),
    usedAt: fc.integer({ min: 0, max: 20 }),
    until: fc.integer({ min: 0, max: 20 }),
  });
  fc.assert(
    fc.property(fc.array(some), fc.nat(100), fc.nat(20), (parts, maxBytes, now) => {
      const all = parts.map(({ bytes, usedAt, until }) => held(bytes, usedAt, until));
      const gone = new Set(excessOf(all, maxBytes, now));
      const left = all.filter((one) => !gone.has(one));
      const sum = left.reduce((total, { bytes }) => total + bytes, 0);
      assert.ok(sum <= maxBytes && left.every(({ until }) => until > now));
      const fresh = [...gone].filter(({ until }) => until > now);
      for (const one of fresh) assert.ok(left.every(({ usedAt }) => usedAt >= one.usedAt));
      const last = fresh.toSorted((a, b) => a.usedAt - b.usedAt).at(-1);
      if (last) assert.ok(sum + last.bytes > maxBytes, "the last one that went had to go");
    }),
  );
});
