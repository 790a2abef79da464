import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { PICKLE_END_BYTES, PICKLE_START_BYTES, pickleSign } from "../../../src/protocol/task/pickle.ts";
import { readHeader } from "../../../src/protocol/tensors/header.ts";
import { writeSafetensors } from "../../../src/protocol/tensors/write.ts";
import { needs } from "../../support/require.ts";

const signOf = (path: string, file: Uint8Array) =>
  pickleSign(path, file.subarray(0, PICKLE_START_BYTES), file.subarray(-PICKLE_END_BYTES));
const text = (content: string) => Buffer.from(content, "latin1");

test("a pickle is known by its name, whatever is in it", () => {
  for (const name of [
    "model.pkl",
    "a/b.PICKLE",
    "x.pt",
    "x.pth",
    "x.ckpt",
    "x.joblib",
    "x.joblib.gz",
    "x.dill",
  ]) {
    assert.equal(signOf(name, text("anything")), "name", name);
  }
  for (const name of ["model.onnx", "pkl", "x.pkl.txt", "model.json", "x.ptx", "spt"]) {
    assert.equal(signOf(name, text("anything")), undefined, name);
  }
});

test("files that Python writes are known by what is in them", needs("python3"), async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "ichain-pickle-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  execFileSync("python3", [
    "-c",
    `
import json, os, pickle, sys, zipfile
os.chdir(sys.argv[1])
class Evil:
    def __reduce__(self): return (os.system, ("true",))
for protocol in range(6): open(f"pickle-{protocol}", "wb").write(pickle.dumps(Evil(), protocol))
for name, compression in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
    with zipfile.ZipFile("torch-" + name, "w", compression) as z:
        z.writestr("archive/version", "3")
        z.writestr("archive/data/0", b"x" * 3_000_000)
        z.writestr("archive/data.pkl", pickle.dumps({}))
with zipfile.ZipFile("none-zip", "w") as z: z.writestr("weights.json", "{}")
json.dump({"a": [1.5]}, open("none-json", "w"))
open("none-text", "w").write("case closed\\nby all\\nmeans")
open("none-empty", "w")
`,
    dir,
  ]);
  const expected: Readonly<Record<string, string | undefined>> = { pickle: "pickle", torch: "torch" };
  const names = readdirSync(dir);
  assert.equal(names.length, 12);
  for (const name of names) {
    assert.equal(signOf(name, readFileSync(join(dir, name))), expected[name.split("-")[0]!], name);
  }
});

test("a NumPy array of objects is one, and an array of numbers is none", () => {
  const npy = (header: string) => text(`\x93NUMPY\x01\x00v\x00${header.padEnd(117)}\n`);
  for (const descr of ["'|O'", "'O'", "'|O8'", "[('a', '<i4'), ('b', '|O')]", '"|O"']) {
    assert.equal(
      signOf("x", npy(`{'descr': ${descr}, 'fortran_order': False, 'shape': (1,), }`)),
      "objects",
      descr,
    );
  }
  for (const descr of ["'<f4'", "'|S10'", "[('Other', '<i4')]"]) {
    assert.equal(
      signOf("x", npy(`{'descr': ${descr}, 'fortran_order': False, 'shape': (1,), }`)),
      undefined,
      descr,
    );
  }
});

test("a safetensors file whose header's length looks like a pickle's mark is none", () => {
  for (const length of [0x280, 0x380, 0x480, 0x580]) {
    const file = writeSafetensors([], { pad: "x".repeat(length - 27) });
    assert.deepEqual([...file.subarray(0, 2)], [0x80, length >> 8]);
    readHeader(file);
    assert.equal(signOf("model", file), undefined);
  }
});

test("lengths in an archive that lie lead nowhere", () => {
  const lies = [
    text("PK\x03\x04"),
    text(`PK\x03\x04${"\xff".repeat(40)}`),
    text(`PK\x03\x04${"PK\x01\x02".repeat(1000)}`),
  ];
  for (const file of lies) assert.equal(signOf("x", file), undefined);
});
