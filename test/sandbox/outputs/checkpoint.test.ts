import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import {
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CHECKPOINT_FILES } from "../../../src/protocol/task/checkpoint.ts";
import { copyCheckpoint } from "../../../src/sandbox/outputs/checkpoint.ts";
import { code, makeTree, scratch } from "../../support/parcel/parcels.ts";

/** An /out with these files below its folder of checkpoints, and how to copy the newest. */
async function outputs(t: TestContext, files: Readonly<Record<string, string | Uint8Array>>) {
  const root = await scratch(t);
  const all = await makeTree(root, files, "out/checkpoint");
  const into = join(root, "copy");
  const copy = (after?: number, maxBytes = 1 << 20) =>
    copyCheckpoint(join(root, "out"), { after, into, maxBytes });
  return { all, into, copy };
}

test("the newest complete checkpoint is copied, with its folders; what has no number for a name is none", async (t) => {
  const { all, into, copy } = await outputs(t, {
    "9/w": "old",
    "10/w": "new",
    "10/deep/er/ü": "x",
    "11.part/w": "half",
    "011/w": "no",
    "12": "a file, no folder",
    notes: "",
  });
  assert.equal(await copy(), undefined, "12 is the newest, and no checkpoint");
  await rename(join(all, "12"), join(all, "twelve"));
  assert.equal(await copy(), 10);
  assert.equal(await readFile(join(into, "w"), "utf8"), "new");
  assert.equal(await readFile(join(into, "deep/er/ü"), "utf8"), "x");
  assert.equal((await stat(into)).mode & 0o777, 0o700);
  assert.equal(await copy(10), undefined, "only a newer one is taken");
  await rename(join(all, "11.part"), join(all, "11"));
  await rename(into, `${into}.before`);
  assert.equal(await copy(10), 11);
  assert.deepEqual(await readdir(into), ["w"]);
});

test("a task without checkpoints has none, nor has one whose folder of them is a link", async (t) => {
  const root = await scratch(t);
  const take = () => copyCheckpoint(root, { after: undefined, into: join(root, "copy"), maxBytes: 100 });
  assert.equal(await take(), undefined);
  await makeTree(root, { "1/w": "x" }, "elsewhere");
  await symlink("elsewhere", join(root, "checkpoint"));
  assert.equal(await take(), undefined);
});

for (const [what, refusal, make] of [
  ["a link to a file", "CHECKPOINT_UNSAFE", (dir: string) => symlink("/etc/hostname", join(dir, "x"))],
  ["a link to a folder", "CHECKPOINT_UNSAFE", (dir: string) => symlink("/etc", join(dir, "x"))],
  ["a hard link", "CHECKPOINT_UNSAFE", (dir: string) => link(join(dir, "w"), join(dir, "x"))],
  ["a FIFO", "CHECKPOINT_UNSAFE", async (dir: string) => execFileSync("mkfifo", [join(dir, "x")])],
  ["a newline in a name", "CHECKPOINT_UNSAFE", (dir: string) => writeFile(join(dir, "a\nb"), "")],
  [
    "a name that is not UTF-8",
    "CHECKPOINT_UNSAFE",
    (dir: string) => writeFile(Buffer.concat([Buffer.from(`${dir}/`), Buffer.of(0xff)]), ""),
  ],
  [
    "too deep folders",
    "CHECKPOINT_UNSAFE",
    (dir: string) => mkdir(join(dir, ...Array.from({ length: 33 }, () => "d")), { recursive: true }),
  ],
  [
    "too many bytes",
    "CHECKPOINT_TOO_LARGE",
    (dir: string) => writeFile(join(dir, "x"), Buffer.alloc(1 << 20)),
  ],
  [
    "a hole",
    "CHECKPOINT_TOO_LARGE",
    async (dir: string) => {
      await writeFile(join(dir, "x"), "");
      await truncate(join(dir, "x"), 2 ** 40);
    },
  ],
  [
    "too many files",
    "CHECKPOINT_TOO_LARGE",
    async (dir: string) => {
      for (let i = 0; i < CHECKPOINT_FILES; i += 1) await writeFile(join(dir, String(i)), "");
    },
  ],
] as const) {
  test(`a checkpoint with ${what} is refused by its number, and leaves no copy`, async (t) => {
    const { all, into, copy } = await outputs(t, { "5/w": "good", "6/w": "x" });
    await make(join(all, "6"));
    await assert.rejects(copy(), (error: unknown) => {
      assert.equal((error as { details: { number: number } }).details.number, 6);
      return code(refusal)(error);
    });
    assert.equal(existsSync(into), false);
    assert.equal(await copy(6), undefined, "only a newer one is looked at again");
  });
}

test("a checkpoint that changes while it is copied is not taken, and is once it stands still", async (t) => {
  const { all, into, copy } = await outputs(t, { "5/w": Buffer.alloc(32 << 20) });
  const copying = copy(undefined, 1 << 30);
  let over = false;
  const done = copying.finally(() => {
    over = true;
  });
  for (let at = 1; !over; at += 1) await utimes(join(all, "5/w"), at, at);
  assert.equal(await done, undefined);
  assert.equal(existsSync(into), false);
  assert.equal(await copy(undefined, 1 << 30), 5);
});
