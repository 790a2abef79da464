import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { emptyFolder } from "../../../src/sandbox/outputs/empty.ts";
import { scratch } from "../../support/parcel/parcels.ts";

/** Levels; more than fit into a path. */
const DEEP = 1000;

test("a folder is emptied, and the targets of its links are unchanged", async (t) => {
  const dir = await scratch(t);
  const [folder, outside] = [join(dir, "out"), join(dir, "outside")];
  await mkdir(join(folder, "a/b/c"), { recursive: true });
  await mkdir(outside);
  await writeFile(join(outside, "mine"), "mine");
  await writeFile(join(folder, "a/b/file"), "x");
  await symlink(outside, join(folder, "a/link"));
  await symlink(join(outside, "mine"), join(folder, "link"));
  await writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.of(0xff, 0x0a)]), "no text");
  await emptyFolder(folder);
  assert.deepEqual(await readdir(folder), []);
  assert.equal(await readFile(join(outside, "mine"), "utf8"), "mine");
});

test("a tree that is too deep for any path is emptied", async (t) => {
  const dir = await scratch(t);
  await mkdir(join(dir, "0"));
  for (let i = 1; i < DEEP; i++) {
    await mkdir(join(dir, String(i)));
    await rename(join(dir, String(i - 1)), join(dir, String(i), "inner"));
  }
  await emptyFolder(dir);
  assert.deepEqual(await readdir(dir), []);
});

test("a link to a folder is refused", async (t) => {
  const dir = await scratch(t);
  await mkdir(join(dir, "real"));
  await writeFile(join(dir, "real/mine"), "mine");
  await symlink(join(dir, "real"), join(dir, "link"));
  await assert.rejects(emptyFolder(join(dir, "link")), { code: "ENOTDIR" });
  assert.deepEqual(await readdir(join(dir, "real")), ["mine"]);
});
