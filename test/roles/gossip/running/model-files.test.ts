import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { id } from "ethers";
import { type Model, readModel, writeModel } from "../../../../src/protocol/federated/model-file.ts";
import { Vector } from "../../../../src/protocol/federated/vector.ts";
import { packedBytes, packWeights } from "../../../../src/protocol/gossip/packed-model.ts";
import type { Hex } from "../../../../src/protocol/ids.ts";
import { ModelFiles } from "../../../../src/roles/gossip/running/model-files.ts";
import { createDirectTransport } from "../../../../src/transfer/direct/direct-transport.ts";
import { plainBlob } from "../../../../src/transfer/pieces/hash-pieces.ts";
import { temporaryFolder } from "../../../support/binary.ts";

const modelOf = (values: number[], name = "weight"): Model => ({
  layout: [{ name, shape: [values.length] }],
  vector: Vector.fromNumbers(values),
});
const start = modelOf([0, 0, 0]);

test("a model goes from one peer to another once its root, digest and tensors are right, and away in its time", async (t) => {
  using folder = temporaryFolder();
  const transport = createDirectTransport({ listenHost: "127.0.0.1" });
  t.after(() => transport.stop());
  const parts = { transport, hashBlob: plainBlob };
  const [one, two] = ["one", "two"].map((name) => new ModelFiles(folder.join(name), start, parts)) as [
    ModelFiles,
    ModelFiles,
  ];
  const now = Math.floor(Date.now() / 1000);
  for (const files of [one, two]) await files.open(60, now);
  const hosting = await transport.host({
    ...{ identity: await transport.newIdentity(), blobs: [], readers: [] },
  });
  await one.serve(hosting);
  const shown = await one.put(modelOf([1, 2, 3]), now + 60);
  const { digest } = shown;
  const wanted = { endpoint: hosting.endpoint, root: one.rootOf(digest)!, ...shown, until: now + 60 };
  const { signal } = new AbortController();
  const wrong = { ...wanted, digest: id("another") as Hex };
  await assert.rejects(two.fetch(wrong, { signal }), { code: "MODEL_INVALID" });
  for (const model of [modelOf([1, 2, 3], "wei9ht"), modelOf([1, 2, 3, 4])]) {
    const strange = await one.put(model, now + 60);
    const request = { ...wanted, root: one.rootOf(strange.digest)!, ...strange };
    await assert.rejects(two.fetch(request, { signal }));
  }
  assert.deepEqual(await readdir(folder.join("two")), [], "what was refused leaves nothing");

  await two.fetch(wanted, { signal });
  assert.deepEqual((await two.read(digest)).vector.toNumbers(), Float64Array.of(1, 2, 3));
  const path = folder.join("two", `${digest.slice(2)}.safetensors`);
  await two.tidy(new Set([digest]), now + 61);
  assert.ok(existsSync(path), "it is needed");
  await two.tidy(new Set(), now + 61);
  assert.ok(!existsSync(path) && two.rootOf(digest) === undefined);
});

test("models that travel packed are read by a peer that packs none, and tasks get them as safetensors", async (t) => {
  using folder = temporaryFolder();
  const transport = createDirectTransport({ listenHost: "127.0.0.1" });
  t.after(() => transport.stop());
  const parts = { transport, hashBlob: plainBlob };
  const one = new ModelFiles(folder.join("one"), start, { ...parts, packing: "int8" });
  const two = new ModelFiles(folder.join("two"), start, parts);
  const now = Math.floor(Date.now() / 1000);
  for (const files of [one, two]) await files.open(60, now);
  const hosting = await transport.host({
    ...{ identity: await transport.newIdentity(), blobs: [], readers: [] },
  });
  await one.serve(hosting);
  const shown = await one.put(modelOf([1, -0.5, 0.25]), now + 60);
  assert.equal(shown.bytes, packedBytes(3));
  const { signal } = new AbortController();
  const request = { endpoint: hosting.endpoint, root: one.rootOf(shown.digest)!, until: now + 60 };
  await two.fetch({ ...request, ...shown }, { signal });
  assert.deepEqual((await two.read(shown.digest)).vector.toNumbers(), Float64Array.of(1, -0.5, 0.25));
  assert.ok(await two.copyTo(shown.digest, folder.join("model.safetensors")));
  assert.deepEqual(readModel(await readFile(folder.join("model.safetensors"))), modelOf([1, -0.5, 0.25]));
  const next = new ModelFiles(folder.join("two"), start, parts);
  await next.open(60, now);
  assert.equal(next.rootOf(shown.digest), one.rootOf(shown.digest), "the next process serves it");

  const hostile: [file: Uint8Array, why: RegExp][] = [
    [packWeights([1, 2, 3, 4]).subarray(0, packedBytes(3)), /4 parameters/],
    [packWeights([1, 2, 3]).fill(0x80, -1), /code is out of range/],
    [packWeights([1, 2, 3]).fill(1, 20, 21), /names a state/],
  ];
  for (const [at, [file, why]] of hostile.entries()) {
    const path = folder.join(`hostile-${at}`);
    await writeFile(path, file);
    const blob = await plainBlob(path);
    await hosting.add(blob);
    const digest = `0x${createHash("sha256").update(file).digest("hex")}` as Hex;
    const wanted = { ...request, root: blob.root, digest, bytes: file.length };
    await assert.rejects(two.fetch(wanted, { signal }), { code: "MODEL_INVALID", message: why });
    assert.equal(two.rootOf(digest), undefined);
    await assert.rejects(two.fetch({ ...wanted, bytes: file.length + 1 }, { signal }), {
      ...{ code: "MODEL_INVALID", message: /as long/ },
    });
  }
});

test("a process serves what the one before did while it lives, and removes what is not whole", async () => {
  using folder = temporaryFolder();
  const parts = { transport: createDirectTransport({ listenHost: "127.0.0.1" }), hashBlob: plainBlob };
  const now = Math.floor(Date.now() / 1000);
  const before = new ModelFiles(folder.join("models"), start, parts);
  await before.open(60, now);
  const { digest } = await before.put(modelOf([1, 2, 3]), now + 60);
  await writeFile(folder.join("models", "half.safetensors"), writeModel(start).subarray(0, 9));
  const after = new ModelFiles(folder.join("models"), start, parts);
  await after.open(60, now);
  assert.equal(after.rootOf(digest), before.rootOf(digest));
  assert.deepEqual(await readdir(folder.join("models")), [`${digest.slice(2)}.safetensors`]);
  assert.deepEqual(readModel(writeModel(await after.read(digest))), modelOf([1, 2, 3]));
  const late = new ModelFiles(folder.join("models"), start, parts);
  await late.open(60, now + 120);
  assert.equal(late.rootOf(digest), undefined);
});
