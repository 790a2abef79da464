import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jobFileSchema, specHash, specOf } from "../../../src/protocol/task/spec.ts";

const least = {
  version: 1,
  name: "digits",
  image: "python-ml",
  command: ["python3", "/in/task.py"],
  inputs: ["task.py"],
  outputs: ["model.pkl"],
  verification: { threshold: 0.95 },
};
const image = `sha256:${"ab".repeat(32)}`;

describe("job.yaml", () => {
  it("needs only the fields without a default", () => {
    const file = jobFileSchema.parse(least);
    assert.equal(file.resources.time, 600);
    assert.equal(file.resources.memory, 2 ** 30);
    assert.equal(file.verification.mode, "evaluate");
    assert.equal(file.price, undefined);
  });

  it("reads amounts of coin exactly", () => {
    assert.equal(jobFileSchema.parse({ ...least, price: "0.000000000000000001" }).price, 1n);
    assert.equal(jobFileSchema.parse({ ...least, price: "12.5" }).price, 12_500_000_000_000_000_000n);
  });

  for (const [name, change] of Object.entries({
    "an unknown field": { colour: "red" },
    "a bare number of bytes": { resources: { memory: 5 } },
    "an unknown unit": { resources: { time: "3 fortnights" } },
    "a negative price": { price: "-1" },
    "no command": { command: [] },
    "an image that is a path": { image: "../../../etc" },
    "an image of two kinds": { image: { dockerfile: "Dockerfile", archive: "root.tar" } },
    "an image without a kind": { image: {} },
  })) {
    it(`is refused with ${name}`, () => {
      assert.equal(jobFileSchema.safeParse({ ...least, ...change }).success, false);
    });
  }
});

describe("the spec's hash", () => {
  it("depends on every value and not on the order of keys", () => {
    const spec = specOf(jobFileSchema.parse(least), image);
    const reordered = Object.fromEntries(Object.entries(spec).reverse()) as typeof spec;
    assert.equal(specHash(reordered), specHash(spec));
    assert.notEqual(specHash({ ...spec, outputs: ["other.pkl"] }), specHash(spec));
  });
});

it("an exam has inputs of its own and a validator, and the spec keeps them from the provider", () => {
  const base = {
    ...{ version: 1, name: "a", image: "x", command: ["x"], inputs: ["task.py", "data/"], outputs: ["y"] },
  };
  const parse = (verification: object, more: object = {}) =>
    jobFileSchema.safeParse({ ...base, verification: { threshold: 0, ...verification }, ...more });
  const fine = parse({ mode: "exam", inputs: ["test.npz"] });
  assert.ok(fine.success);
  assert.deepEqual(Object.keys(specOf(fine.data, "")).includes("exam"), false);
  assert.equal("inputs" in specOf(fine.data, "").verification, false);
  const problem = (...given: Parameters<typeof parse>) => parse(...given).error?.issues[0]?.message ?? "none";
  assert.match(problem({ mode: "exam" }), /an exam needs inputs/);
  assert.match(problem({ inputs: ["test.npz"] }), /no other mode takes any/);
  assert.match(problem({ mode: "exam", inputs: ["test.npz"], validators: 0 }), /needs a validator/);
  for (const shared of ["task.py", "./task.py", "data/test.npz", "data"])
    assert.match(problem({ mode: "exam", inputs: [shared] }), /its provider would see it/, shared);
  assert.match(problem({ mode: "exam", inputs: ["a/b"] }, { inputs: ["a/b/c"] }), /would see it/);
  assert.match(problem({ mode: "exam", inputs: ["t"] }, { inputs: ["."] }), /would see it/);
  assert.match(problem({ mode: "exam", inputs: ["t"] }, { inputs: ["exam/a"] }), /the exam's place/);
});
