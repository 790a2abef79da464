import assert from "node:assert/strict";
import { test } from "node:test";
import { gpuFields, gpusSchema, meetsDemand, unmetGpus } from "../../../src/protocol/machine/gpus.ts";
import { jobFileSchema, specOf, specSchema } from "../../../src/protocol/task/spec.ts";

const GIB = 2 ** 30;
const a100 = { model: "NVIDIA A100-SXM4-80GB", memoryBytes: 80 * GIB, driver: "550.54.14", count: 4 };
const l40 = { model: "NVIDIA L40S", memoryBytes: 45 * GIB, driver: "535.183.01" };

const job = (gpus: unknown) =>
  jobFileSchema.parse({
    ...{ version: 1, name: "a", image: "i", command: ["x"], inputs: ["x"], outputs: ["y"] },
    ...{ verification: { threshold: 0 }, resources: { gpus } },
  });

test("a job names GPUs by number, or by model, memory and driver", () => {
  assert.deepEqual(gpuFields(gpusSchema.parse(2)), { gpus: 2 });
  assert.deepEqual(gpuFields(gpusSchema.parse({ count: 2 })), { gpus: 2 });
  const asked = gpusSchema.parse({ model: "NVIDIA A100*", memory: "16 GiB", driver: 550 });
  assert.deepEqual(gpuFields(asked), {
    gpus: 1,
    gpu: { models: ["NVIDIA A100*"], memory: 16 * GIB, driver: "550" },
  });
});

test("the spec of a job has the same demand, and its schema takes it", () => {
  const file = job({ count: 2, model: ["*A100*", "*L40S"], driver: "535.1" });
  const spec = specOf(file, `sha256:${"ab".repeat(32)}`);
  assert.deepEqual(spec.resources.gpu, { models: ["*A100*", "*L40S"], driver: "535.1" });
  assert.deepEqual(specSchema.parse(spec), spec);
  assert.equal("gpu" in specOf(job(1), "").resources, false);
});

test("a malformed demand is refused", () => {
  const bad = [17, -1, { count: 0 }, { model: "" }, { model: "\u001b[2J" }, { model: [] }, { driver: "new" }];
  for (const gpus of [...bad, { memory: "much" }, { driver: 55.1 }, { colour: "red" }])
    assert.equal(gpusSchema.safeParse(gpus).success, false, JSON.stringify(gpus));
});

test("a model is the whole name in any case, with * for any text", () => {
  const is = (one: string) => meetsDemand(a100, { models: [one] });
  assert.deepEqual(["NVIDIA A100*", "*a100*80gb", "*"].map(is), [true, true, true]);
  assert.deepEqual(["A100", "NVIDIA A10", "*H100*"].map(is), [false, false, false]);
});

test("drivers are compared number by number, and an unknown one is older than all", () => {
  const is = (driver: string, least: string) => meetsDemand({ ...a100, driver }, { driver: least });
  assert.equal(is("550.54.14", "550"), true);
  assert.equal(is("550.54.14", "550.54.14"), true);
  assert.equal(is("550.6", "550.54"), false);
  assert.equal(is("1000.1", "550.54"), true);
  assert.equal(is("", "1"), false);
  assert.equal(is("550; x", "1"), false);
  assert.equal(meetsDemand({ ...a100, driver: "" }, {}), true);
});

test("the first demand that is not met is named, with what came before it", () => {
  const unmet = (gpus: unknown) => unmetGpus([a100, l40], job(gpus).resources)?.text;
  assert.equal(unmet(0), undefined);
  assert.equal(unmet(5), undefined);
  assert.equal(unmet(6), "6 GPUs");
  assert.equal(unmet({ count: 4, model: "*A100*", memory: "80 GiB", driver: "550" }), undefined);
  assert.equal(unmet({ count: 5, model: "*A100*" }), "5 GPUs of the model *A100*");
  assert.equal(unmet({ model: "*H100*", memory: "1 GiB" }), "a GPU of the model *H100*");
  assert.equal(
    unmet({ model: ["*H100*", "*L40S"], memory: "60 GiB" }),
    "a GPU of the model *H100* or *L40S with 60 GiB of memory",
  );
  assert.equal(unmet({ driver: 560 }), "a GPU with driver 560 or later");
});
