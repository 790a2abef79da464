import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmod, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { isAbort } from "../../../src/errors/error.ts";
import { checkPaths, pathProblem } from "../../../src/protocol/parcel/paths.ts";
import { SLICE_BYTES } from "../../../src/transfer/parcel/format/archive.ts";
import { SMALL_FILE } from "../../../src/transfer/parcel/input/input.ts";
import { createParcels } from "../../../src/transfer/parcel/parcels.ts";
import { makeTree, newKeyring, roomy, scratch } from "../../support/parcel/parcels.ts";

const parcels = createParcels({ keyring: await newKeyring() });
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
  test(`a parcel preserves ${name}`, async (t) => {
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

test("any files, also after an interrupted pack, are opened as they were packed", async (t) => {
  const folder = await scratch(t);
  const segment = fc
    .stringMatching(/^[a-zé日😀._ -]{1,12}$/u)
    .filter((one) => pathProblem(one) === undefined);
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
  const size = fc.oneof(
    fc.nat(2000),
    fc.constantFrom(0, 512, SMALL_FILE, SMALL_FILE + 1, 3 << 20, SLICE_BYTES - 512),
  );
  const files = fc.uniqueArray(fc.record({ path, size, zeros: fc.boolean() }), {
    maxLength: 12,
    selector: (one) => one.path,
  });
  const fits = (paths: string[]) => {
    try {
      return checkPaths(paths).folders >= 0;
    } catch {
      return false;
    }
  };
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      files.filter((list) => fits(list.map((one) => one.path))),
      fc.nat(20),
      async (list, stopAfter) => {
        const tree = Object.fromEntries(
          list.map((one) => [one.path, one.zeros ? Buffer.alloc(one.size) : randomBytes(one.size)]),
        );
        const place = join(folder, `${run++}`);
        const request = { root: await makeTree(place, tree), paths: ["."], out: join(place, "blob") };
        // Interrupted once, if it has that many slices.
        const stop = new AbortController();
        let slices = 0;
        const onProgress = () => slices++ === stopAfter && stop.abort();
        await parcels
          .pack(request, { signal: stop.signal, onProgress })
          .catch((error) => assert.ok(isAbort(error), error));
        const packed = await parcels.pack(request);
        const { manifest } = await parcels.open({ ...packed, into: join(place, "out"), limits: roomy });
        for (const [name, content] of Object.entries(tree)) {
          assert.ok((await readFile(join(place, "out", name))).equals(content), name);
        }
        assert.equal(manifest.files.length, list.length);
        assert.equal(await parcels.digest(join(place, "out"), ["."]), packed.digest);
        await rm(place, { recursive: true });
      },
    ),
    { numRuns: 60 },
  );
});

test("a parcel of no files opens as an empty folder", async (t) => {
  const folder = await scratch(t);
  const packed = await parcels.pack({ root: folder, paths: [], out: join(folder, "blob") });
  await parcels.open({ ...packed, into: join(folder, "out"), limits: roomy });
  assert.deepEqual(await readdir(join(folder, "out")), []);
});

test("executable bit and note are kept, and the author is the one that packed", async (t) => {
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
  assert.equal((await stat(join(into, "run.sh"))).mode & 0o777, 0o700);
  assert.equal((await stat(join(into, "data.txt"))).mode & 0o777, 0o600);
  assert.deepEqual(manifest.note, note);
  assert.deepEqual(manifest.author, keyring.publicKeys);
});

test("only the named paths are packed, a folder with everything below it", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, { "src/a.py": "1", "src/lib/b.py": "2", "secret.txt": "no" });
  const packed = await parcels.pack({ root, paths: ["src", "src/a.py"], out: join(folder, "blob") });
  const { manifest } = await parcels.open({ ...packed, into: join(folder, "out"), limits: roomy });
  assert.deepEqual(
    manifest.files.map((file) => file.path),
    ["src/a.py", "src/lib/b.py"],
  );
});

test("a blob reveals neither names nor contents", async (t) => {
  const folder = await scratch(t);
  const marker = "KNOWN-PLAINTEXT-0123456789";
  const root = await makeTree(folder, { [`${marker}-name`]: `${marker} and ${marker}` });
  const { blob } = await parcels.pack({ root, paths: ["."], out: join(folder, "blob"), note: { marker } });
  const bytes = await readFile(blob.path);
  assert.ok(!bytes.includes(marker));
  assert.ok(!bytes.includes("ustar"));
});

test("two parcels of the same files under one key have different roots and the same digest", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, { a: "same" });
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
