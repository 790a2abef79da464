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
