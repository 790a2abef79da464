import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createParcels } from "../../../../src/transfer/parcel/parcels.ts";
import { writeBlob } from "../../../support/parcel/forge.ts";
import { openByHand } from "../../../support/parcel/gpg.ts";
import { code, makeTree, newKeyring, roomy, scratch } from "../../../support/parcel/parcels.ts";
import { needs } from "../../../support/require.ts";

const keyring = await newKeyring();
const ordinary = createParcels({ keyring });
const compatible = createParcels({ keyring, compatibility: "gpg" });

const trees: Record<string, Record<string, string | Uint8Array>> = {
  "small files": { "a.txt": "text", "b/c.bin": randomBytes(1000), "été/日本.txt": "x" },
  "a file over several slices": { "big.bin": randomBytes(9 << 20), "log.txt": "line\n".repeat(2_000_000) },
  nothing: {},
};

async function byHand(blob: string, sessionKey: string, folder: string): Promise<string> {
  await mkdir(folder);
  await copyFile(blob, join(folder, "result.parcel"));
  await writeFile(join(folder, "key.txt"), `9:${sessionKey.slice(2)}\n`);
  return openByHand(folder);
}

for (const [name, tree] of Object.entries(trees)) {
  test(`both gpg and ichain open a compatible parcel of ${name}`, needs("gpg", "zstd"), async (t) => {
    const folder = await scratch(t);
    const root = await makeTree(folder, tree);
    const packed = await compatible.pack({ root, paths: ["."], out: join(folder, "blob") });
    const byGpg = await byHand(packed.blob.path, packed.sessionKey, join(folder, "hand"));
    await compatible.open({ ...packed, into: join(folder, "out"), limits: roomy });
    for (const [path, content] of Object.entries(tree)) {
      assert.deepEqual(await readFile(join(byGpg, path)), Buffer.from(content), path);
      assert.deepEqual(await readFile(join(folder, "out", path)), Buffer.from(content), path);
    }
    assert.equal(await ordinary.digest(byGpg, ["."]), packed.digest);
  });
}

test("a compatible parcel opens only where the profile is accepted, an ordinary one everywhere", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, trees["small files"]!);
  const old = await compatible.pack({ root, paths: ["."], out: join(folder, "old") });
  const into = join(folder, "out");
  await assert.rejects(ordinary.open({ ...old, into, limits: roomy }), code("PARCEL_COMPATIBILITY"));
  assert.deepEqual((await readdir(folder)).sort(), ["in", "old"]);
  const modern = await ordinary.pack({ root, paths: ["."], out: join(folder, "new") });
  await compatible.open({ ...modern, into, limits: roomy });
});

test("a compatible parcel changed anywhere is refused", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, {
    "big.bin": randomBytes(5 << 20),
    "text.txt": "words ".repeat(100_000),
  });
  const packed = await compatible.pack({ root, paths: ["."], out: join(folder, "blob") });
  const good = await readFile(packed.blob.path);
  const places = [0, 1, 2, 3, 10, 30, 50, 100, 5000, 1 << 20, (1 << 20) + 2, good.length >> 1];
  for (const at of [
    ...places,
    ...Array.from({ length: 20 }, () => Math.floor(Math.random() * good.length)),
  ]) {
    const bytes = Buffer.from(good);
    bytes[at]! ^= 1;
    await refusedBytes(t, bytes, packed.sessionKey, at);
  }
  for (const length of [0, 1, 1000, good.length - 1])
    await refusedBytes(t, good.subarray(0, length), packed.sessionKey, length);
});

async function refusedBytes(t: TestContext, bytes: Uint8Array, sessionKey: `0x${string}`, at: number) {
  const folder = await scratch(t);
  const blob = await writeBlob(join(folder, "blob"), bytes);
  await assert.rejects(
    compatible.open({ blob, sessionKey, into: join(folder, "out"), limits: roomy }),
    (error) => {
      assert.equal((error as { class?: string }).class, "untrusted", `${at}: ${error}`);
      return true;
    },
  );
  assert.deepEqual(await readdir(folder), ["blob"]);
}

test("an interrupted compatible pack starts over", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, { "big.bin": randomBytes(20 << 20) });
  const request = { root, paths: ["."], out: join(folder, "blob") };
  for (const parcels of [ordinary, compatible]) {
    const stop = new AbortController();
    const packing = parcels.pack(request, { signal: stop.signal, onProgress: () => stop.abort() });
    await assert.rejects(packing, { name: "AbortError" });
  }
  const packed = await compatible.pack(request);
  await compatible.open({ ...packed, into: join(folder, "out"), limits: roomy });
  await writeFile(join(folder, "done"), "");
});
