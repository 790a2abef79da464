import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmod, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createParcels } from "../../../src/transfer/parcel/parcels.ts";
import { makeTree, newKeyring, roomy, scratch } from "../../support/parcels.ts";

const big = randomBytes(9 * 1024 * 1024 + 17);

const trees: Record<string, Record<string, string | Uint8Array>> = {
  "one file": { "model.bin": "weights" },
  "empty files": { "a/empty": "", empty: "", "z/also empty": "" },
  "names in Unicode, long and nested": {
    "données/été.csv": "a,b",
    "日本語/ファイル 😀.txt": "x",
    [`${"deep/".repeat(30)}leaf`]: "y",
    [`${"n".repeat(120)}/${"m".repeat(200)}`]: "long",
  },
  "a file over several slices between small ones": { "a.txt": "a", "big.bin": big, "c.txt": "c" },
  "text that compresses": { "log.txt": "the same line\n".repeat(400_000) },
  "sizes around tar's block": { a: Buffer.alloc(511, 1), b: Buffer.alloc(512, 2), c: Buffer.alloc(513, 3) },
};

for (const [name, tree] of Object.entries(trees)) {
  test(`a parcel gives back ${name}`, async (t) => {
    const folder = await scratch(t);
    const root = await makeTree(folder, tree);
    const parcels = createParcels({ keyring: await newKeyring() });
    const packed = await parcels.pack({ root, paths: ["."], out: join(folder, "blob") });
    const into = join(folder, "out");
    const opened = await parcels.open({ ...packed, into, limits: roomy });

    for (const [path, content] of Object.entries(tree)) {
      assert.deepEqual(await readFile(join(into, path)), Buffer.from(content), path);
    }
    assert.equal(
      (await readdir(into, { recursive: true, withFileTypes: true })).filter((e) => e.isFile()).length,
      Object.keys(tree).length,
    );
    assert.equal(opened.digest, packed.digest);
    assert.equal(await parcels.digest(into, ["."]), packed.digest);
    assert.equal((await stat(packed.blob.path)).size, packed.blob.size);
    assert.deepEqual((await readdir(folder)).sort(), ["blob", "in", "out"]);
  });
}

test("a parcel of no files opens as an empty folder", async (t) => {
  const folder = await scratch(t);
  const parcels = createParcels({ keyring: await newKeyring() });
  const packed = await parcels.pack({ root: folder, paths: [], out: join(folder, "blob") });
  await parcels.open({ ...packed, into: join(folder, "out"), limits: roomy });
  assert.deepEqual(await readdir(join(folder, "out")), []);
});

test("the executable bit and the note survive, the author is who packed", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, { "run.sh": "#!/bin/sh\n", "data.txt": "1" });
  await chmod(join(root, "run.sh"), 0o755);
  const keyring = await newKeyring();
  const parcels = createParcels({ keyring });
  const note = { command: ["sh", "run.sh"] };
  const packed = await parcels.pack({ root, paths: ["run.sh", "data.txt"], out: join(folder, "blob"), note });
  const into = join(folder, "out");
  const author = keyring.publicKeys.fingerprint;
  const { manifest } = await parcels.open({ ...packed, into, author, limits: roomy });
  assert.ok((await stat(join(into, "run.sh"))).mode & 0o100);
  assert.ok(!((await stat(join(into, "data.txt"))).mode & 0o111));
  assert.deepEqual(manifest.note, note);
  assert.deepEqual(manifest.author, keyring.publicKeys);
});

test("a folder named in paths stands for all below it, and only named paths are packed", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, { "src/a.py": "1", "src/lib/b.py": "2", "secret.txt": "no" });
  const parcels = createParcels({ keyring: await newKeyring() });
  const packed = await parcels.pack({ root, paths: ["src", "src/a.py"], out: join(folder, "blob") });
  const { manifest } = await parcels.open({ ...packed, into: join(folder, "out"), limits: roomy });
  assert.deepEqual(
    manifest.files.map((file) => file.path),
    ["src/a.py", "src/lib/b.py"],
  );
});

test("neither names nor contents can be read in the blob", async (t) => {
  const folder = await scratch(t);
  const marker = "KNOWN-PLAINTEXT-0123456789";
  const root = await makeTree(folder, { [`${marker}-name`]: `${marker} and ${marker}` });
  const parcels = createParcels({ keyring: await newKeyring() });
  const { blob } = await parcels.pack({ root, paths: ["."], out: join(folder, "blob"), note: { marker } });
  const bytes = await readFile(blob.path);
  assert.ok(!bytes.includes(marker));
  assert.ok(!bytes.includes("ustar"));
});

test("two parcels of the same files differ in every byte that matters but agree in digest", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, { a: "same" });
  const parcels = createParcels({ keyring: await newKeyring() });
  const one = await parcels.pack({ root, paths: ["a"], out: join(folder, "one") });
  const two = await parcels.pack({
    root,
    paths: ["a"],
    out: join(folder, "two"),
    sessionKey: one.sessionKey,
  });
  assert.equal(one.digest, two.digest);
  assert.notEqual(one.blob.root, two.blob.root);
});
