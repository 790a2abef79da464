import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isIchainError } from "../../../src/errors/error.ts";
import type { Job } from "../../../src/protocol/job/job.ts";
import type { OfferDetails } from "../../../src/protocol/offer.ts";
import { policySchema, refuseRecord, refuseSpec } from "../../../src/protocol/policy/policy.ts";
import { jobFileSchema, type Spec, specOf, specSchema } from "../../../src/protocol/task/spec.ts";
import { tighten } from "../../../src/sandbox/limits.ts";
import { containerSettings } from "../../../src/sandbox/policy.ts";

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
  pulledImages: [],
  coin: true,
  tokens: [],
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

test("an image in the bundle is refused unless the policy allows its kind", () => {
  const [dockerfile, archive] = [{ dockerfile: "Dockerfile" }, { archive: "root.tar", digest }];
  assert.equal(code({}, dockerfile), "IMAGE_NOT_ALLOWED");
  assert.equal(code({}, archive), "IMAGE_NOT_ALLOWED");
  assert.equal(code({ bundledImages: { dockerfile: true } }, dockerfile), undefined);
  assert.equal(code({ bundledImages: { dockerfile: true } }, archive), "IMAGE_NOT_ALLOWED");
  assert.equal(code({ bundledImages: { archive: true } }, archive), undefined);
  assert.equal(code({ bundledImages: { dockerfile: true, archive: true } }, digest), undefined);
  assert.equal(code({}, `sha256:${"cd".repeat(32)}`), "IMAGE_UNKNOWN");
});

test("a spec's image is a digest or a plain path in the bundle", () => {
  const parses = (image: unknown) => specSchema.safeParse({ ...asked(digest), image }).success;
  assert.ok(parses({ dockerfile: "docker/Dockerfile" }) && parses({ archive: "root.tar", digest }));
  for (const path of ["../../x", "/etc/passwd", "a//b", "a/../../b", "", "x\u0000"]) {
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

test("the sandbox refuses no spec that the policy accepts", () => {
  const near = (floor: number) =>
    fc.oneof(fc.integer({ min: 1, max: 2 * floor }), fc.integer({ min: 1, max: 2 ** 34 }));
  const resources = fc.record({
    cpus: fc.oneof(
      fc.double({ min: 1e-6, max: 0.02, noNaN: true }),
      fc.double({ min: 0.02, max: 4, noNaN: true }),
    ),
    memory: near(16 * 2 ** 20),
    disk: near(2 ** 16),
    time: fc.integer({ min: 1, max: 100_000 }),
    gpus: fc.constant(0),
  });
  const word = fc.oneof(
    fc.string({ minLength: 1, maxLength: 20, unit: "binary" }),
    fc.constantFrom("x".repeat(1024), "ä".repeat(1024), "\u{1f600}".repeat(512), "a\0b"),
  );
  const plain = fc.array(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 64 });
  const command = fc.oneof(plain, fc.array(word, { minLength: 1, maxLength: 64, size: "max" }));
  const ceiling = {
    cpus: machine.cpus,
    memoryBytes: machine.memoryBytes,
    ...{ diskBytes: 2 ** 40, wallSeconds: 30 * 86_400, pids: 4096, logBytes: 64 * 2 ** 20 },
  };
  const policy = policySchema.parse({});
  let [accepted, refused] = [0, 0];
  fc.assert(
    fc.property(resources, command, (resources, command) => {
      const spec = specSchema.parse({ ...asked(digest), resources, command });
      const refusal = refuseSpec(policy, spec, machine);
      if (refusal === undefined) accepted++;
      else refused++;
      const { cpus, memory, disk, time } = resources;
      try {
        const limits = tighten(
          {
            ...{ cpus, memoryBytes: memory, diskBytes: disk, wallSeconds: time },
            ...{ pids: 256, logBytes: policy.maxLog },
          },
          ceiling,
        );
        containerSettings(
          { id: "a", image: digest, command: [...command, "0"], inputDir: "/in", limits, gpus: [] },
          {
            ...{ instance: "a", imageId: digest, limits, outDir: undefined, cgroupParent: undefined },
            ...{ runtime: { name: undefined, deadline: "/deadline", ownPids: 0, tier: "runc" }, deadline: 0 },
          } as unknown as Parameters<typeof containerSettings>[1],
        );
      } catch (error) {
        assert.ok(isIchainError(error), String(error));
        assert.ok(refusal !== undefined, error.code);
      }
    }),
    { numRuns: 2000 },
  );
  assert.ok(accepted > 20 && refused > 20, `${accepted} accepted, ${refused} refused`);
});

test("a requester too many of whose last jobs came to nothing is refused, once there are some to judge by", () => {
  const policy = policySchema.parse({ requesters: { maxFruitless: 0.4 } });
  let block = 0;
  const jobs = (count: number, change: Partial<Job>): Job[] =>
    Array.from({ length: count }, () => ({ state: "Refunded", postedBlock: block++, ...change }) as Job);
  const settled = { state: "Settled" } as const;
  const refused = (...all: Job[][]) => refuseRecord(policy, all.flat())?.code;
  assert.equal(refused(jobs(4, { cause: "released" })), undefined);
  assert.equal(refused(jobs(3, settled), jobs(2, { cause: "released" })), undefined);
  assert.equal(refused(jobs(2, settled), jobs(3, { cause: "unmet" })), "REQUESTER_FRUITLESS");
  // What was never accepted, and the provider's own faults, say nothing of the requester.
  assert.equal(refused(jobs(9, { state: "Cancelled" }), jobs(4, { cause: "released" })), undefined);
  assert.equal(refused(jobs(4, { cause: "runMissed" }), jobs(2, { cause: "released" })), undefined);
  // Old ones are forgotten.
  assert.equal(refused(jobs(50, { cause: "released" }), jobs(20, settled)), undefined);
  assert.equal(refuseRecord(policySchema.parse({}), jobs(50, { cause: "released" })), undefined);
});
