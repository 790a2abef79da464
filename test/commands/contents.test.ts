import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { contentsData, contentsText } from "../../src/commands/steps/contents.ts";
import { neutralise } from "../../src/protocol/neutralise.ts";
import { float32Tensor, int8Tensor } from "../../src/protocol/tensors/values.ts";
import { writeSafetensors } from "../../src/protocol/tensors/write.ts";
import { resultContents } from "../../src/roles/job/requester/result/contents.ts";
import { fileOf } from "../support/tensors.ts";

const never = { signal: new AbortController().signal };

async function contentsOf(t: TestContext, files: Readonly<Record<string, Uint8Array | string>>) {
  const dir = await mkdtemp(join(tmpdir(), "ichain-contents-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(dir, name), content);
  return { dir, contents: await resultContents(dir, Object.keys(files), never) };
}

test("names, dtypes and shapes of a model are told from its header", async (t) => {
  const model = writeSafetensors([
    float32Tensor("weight", [2, 3], new Float32Array(6)),
    int8Tensor("steps", [], new Int8Array(1)),
  ]);
  const { contents } = await contentsOf(t, { "model.safetensors": model, "notes.json": "{}" });
  assert.deepEqual(contentsData(contents), {
    tensorFiles: [
      {
        file: "model.safetensors",
        count: 2,
        elements: 7,
        dataBytes: 25,
        tensors: [
          { name: "weight", dtype: "F32", shape: [2, 3] },
          { name: "steps", dtype: "I8", shape: [] },
        ],
      },
    ],
    pickles: [],
    damaged: [],
  });
  assert.deepEqual(contentsText(contents), [
    "model.safetensors: 2 tensors, 7 numbers, 25 B",
    "  NAME    DTYPE  SHAPE\n  weight  F32    [2, 3]\n  steps   I8     []",
  ]);
});

test("a file that lies or cannot be read is told with a code and a hint, beside those that are good, and stays", async (t) => {
  const overlap = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
  const { dir, contents } = await contentsOf(t, {
    "overlap.safetensors": fileOf({ a: overlap, b: overlap }, 4),
    "lie.safetensors": fileOf({ a: { ...overlap, shape: [99] } }, 4),
    "huge.safetensors": Uint8Array.of(0, 0, 0, 0, 0, 1, 0, 0),
    "pickle.safetensors": Uint8Array.of(0x80, 4, 0x95, 0, 0, 0, 0, 0, 0, 0, 0x2e),
    "good.safetensors": writeSafetensors([]),
  });
  assert.deepEqual(
    contents.damaged.map(({ file, error }) => [file, error.code]),
    [
      ["overlap.safetensors", "TENSORS_INCONSISTENT"],
      ["lie.safetensors", "TENSORS_INCONSISTENT"],
      ["huge.safetensors", "TENSORS_MALFORMED"],
      ["pickle.safetensors", "TENSORS_MALFORMED"],
    ],
  );
  assert.equal(contents.tensorFiles.length, 1);
  assert.equal((await readdir(dir)).length, 5);
  for (const line of contentsText(contents).slice(1)) assert.match(line, /^! \w+\.safetensors: [^\n]+\.$/);
  await symlink("good.safetensors", join(dir, "link"));
  const unreadable = await resultContents(dir, ["link", "gone"], never);
  assert.deepEqual(
    unreadable.damaged.map(({ error }) => error.code),
    ["PARCEL_IO", "PARCEL_IO"],
  );
});

test("pickles are named, with what loading one can do", async (t) => {
  const { contents } = await contentsOf(t, { "model.bin": Uint8Array.of(0x80, 4, 0x95), "old.pkl": "" });
  assert.deepEqual(contents.pickles, [
    { file: "model.bin", sign: "pickle" },
    { file: "old.pkl", sign: "name" },
  ]);
  const lines = contentsText(contents);
  assert.equal(lines.length, 3);
  assert.match(lines[2]!, /runs code/);
});

test("what a stranger names and how much it names keeps the terminal as it is", async (t) => {
  const many = Array.from({ length: 150 }, (_, i) =>
    float32Tensor(`\u001b[2J\u202e${"x".repeat(900)}${i}`, [0], new Float32Array()),
  );
  const files = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`\u001b]0;${i}.safetensors`, writeSafetensors(many)]),
  );
  const pickles = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}\u0007.pkl`, ""]));
  const { contents } = await contentsOf(t, { ...files, ...pickles });
  assert.equal(contents.tensorFiles[0]!.count, 150);
  assert.equal(contents.tensorFiles[0]!.tensors.length, 100);
  const text = contentsText(contents).join("\n");
  assert.equal(neutralise(text), text);
  assert.ok(text.split("\n").length < 150 && text.length < 20_000, String(text.length));
  assert.match(text, /and 138 more\n/);
  assert.match(text, /and 12 more safetensors files\n/);
  assert.match(text, /and 12 more pickles\n/);
});

test("a result of nothing but headers is read up to a bound", async (t) => {
  const header = fileOf(`{${" ".repeat((15 << 20) - 2)}}`, 0);
  const names = Array.from({ length: 6 }, (_, i) => `${i}.safetensors`);
  const { contents } = await contentsOf(t, Object.fromEntries(names.map((name) => [name, header])));
  assert.equal(contents.tensorFiles.length, 4);
  assert.deepEqual(
    contents.damaged.map(({ error }) => error.code),
    ["TENSORS_TOO_LARGE", "TENSORS_TOO_LARGE"],
  );
});
