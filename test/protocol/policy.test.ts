import assert from "node:assert/strict";
import { test } from "node:test";
import type { OfferDetails } from "../../src/protocol/offer.ts";
import { policySchema, refuseSpec } from "../../src/protocol/policy.ts";
import { jobFileSchema, type Spec, specOf, specSchema } from "../../src/protocol/spec.ts";

const digest = `sha256:${"ab".repeat(32)}`;
const machine: OfferDetails = {
  version: 1,
  name: "",
  tier: "runc",
  cpus: 2,
  memoryBytes: 2 ** 33,
  diskBytes: 2 ** 33,
  gpus: [],
  images: [{ name: "python-ml", digest }],
  bundledImages: [],
};
const file = jobFileSchema.parse({
  version: 1,
  name: "a",
  image: "python-ml",
  command: ["x"],
  inputs: ["x"],
  outputs: ["y"],
  verification: { threshold: 0 },
});
const asked = (image: Spec["image"]) => specOf(file, image);
const code = (policy: object, image: Spec["image"]) =>
  refuseSpec(policySchema.parse(policy), asked(image), machine)?.code;

test("an image in the bundle is refused unless the policy takes its very kind", () => {
  const [dockerfile, archive] = [{ dockerfile: "Dockerfile" }, { archive: "root.tar", digest }];
  assert.equal(code({}, dockerfile), "IMAGE_NOT_ALLOWED");
  assert.equal(code({}, archive), "IMAGE_NOT_ALLOWED");
  assert.equal(code({ bundledImages: { dockerfile: true } }, dockerfile), undefined);
  assert.equal(code({ bundledImages: { dockerfile: true } }, archive), "IMAGE_NOT_ALLOWED");
  assert.equal(code({ bundledImages: { archive: true } }, archive), undefined);
  assert.equal(code({ bundledImages: { dockerfile: true, archive: true } }, digest), undefined);
  assert.equal(code({}, `sha256:${"cd".repeat(32)}`), "IMAGE_UNKNOWN");
});

test("a spec's image is a digest or a plain path in the bundle, and nothing else", () => {
  const parses = (image: unknown) => specSchema.safeParse({ ...asked(digest), image }).success;
  assert.ok(parses({ dockerfile: "docker/Dockerfile" }) && parses({ archive: "root.tar", digest }));
  for (const path of ["../x", "/etc/passwd", "a//b", "a/../../b", "", "x\u0000"]) {
    assert.ok(!parses({ dockerfile: path }) && !parses({ archive: path, digest }), path);
  }
  for (const image of [
    "python-ml",
    { archive: "root.tar" },
    { archive: "root.tar", digest: "sha256:ab" },
    {},
  ]) {
    assert.ok(!parses(image), JSON.stringify(image));
  }
});
