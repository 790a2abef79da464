import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { link, mkdir, mkdtemp, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isIchainError } from "../../../src/errors/error.ts";
import { inspectOutputs } from "../../../src/sandbox/outputs/inspect.ts";

const limits = { maxBytes: 1 << 20, maxFiles: 100, maxDepth: 4 };

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "ichain-inspect-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const from = join(dir, "from");
  await mkdir(from);
  return from;
}

test("regular files and folders are counted and get the modes 0644 and 0755", async (t) => {
  const from = await folder(t);
  await mkdir(join(from, "a/b"), { recursive: true, mode: 0o700 });
  await writeFile(join(from, "a/b/ü.txt"), "text", { mode: 0o4700 });
  await writeFile(join(from, "empty"), "");
  assert.deepEqual(await inspectOutputs(from, limits), { bytes: 4, files: 4 });
  assert.equal(await readFile(join(from, "a/b/ü.txt"), "utf8"), "text");
  assert.equal((await stat(join(from, "a/b/ü.txt"))).mode & 0o7777, 0o644);
  assert.equal((await stat(join(from, "a"))).mode & 0o7777, 0o755);
});

for (const [what, create] of [
  ["a link to a file", (from: string) => symlink("/etc/hostname", join(from, "x"))],
  ["a link to a folder", (from: string) => symlink("/etc", join(from, "x"))],
  ["a dangling link", (from: string) => symlink("nowhere", join(from, "x"))],
  [
    "a hard link",
    async (from: string) => {
      await writeFile(join(from, "x"), "");
      await link(join(from, "x"), join(from, "y"));
    },
  ],
  ["a FIFO", async (from: string) => execFileSync("mkfifo", [join(from, "x")])],
  ["a newline in a name", (from: string) => writeFile(join(from, "a\nb"), "")],
  [
    "a name that is not UTF-8",
    (from: string) => writeFile(Buffer.concat([Buffer.from(`${from}/`), Buffer.of(0xff)]), ""),
  ],
] as const) {
  test(`${what} is refused`, async (t) => {
    const from = await folder(t);
    await create(from);
    await assert.rejects(inspectOutputs(from, limits), (error) => isIchainError(error, "OUTPUT_UNSAFE"));
  });
}

test("the message on a refused name has no control characters", async (t) => {
  const from = await folder(t);
  await writeFile(join(from, "a\u009b2J\u202eb\u001b[1m"), "");
  await assert.rejects(inspectOutputs(from, limits), (error) => {
    assert.ok(isIchainError(error, "OUTPUT_UNSAFE"));
    return error.message.includes('"a·2J·b·[1m"') && !/[^\P{C}]/u.test(error.message);
  });
});

test("a socket is refused", async (t) => {
  const from = await folder(t);
  const server = createServer().listen(join(from, "x"));
  await new Promise((resolve) => server.once("listening", resolve));
  await assert.rejects(inspectOutputs(from, limits), (error) => isIchainError(error, "OUTPUT_UNSAFE"));
  server.close();
});

test("a root that is a link is refused", async (t) => {
  const from = await folder(t);
  await symlink("/etc", `${from}-link`);
  await assert.rejects(inspectOutputs(`${from}-link`, limits));
});

for (const [what, create] of [
  ["bytes", (from: string) => writeFile(join(from, "x"), Buffer.alloc((1 << 20) + 1))],
  [
    "bytes in a hole",
    async (from: string) => {
      await writeFile(join(from, "x"), "");
      await truncate(join(from, "x"), 2 ** 40);
    },
  ],
  [
    "files",
    async (from: string) => {
      for (let i = 0; i < 101; i++) await writeFile(join(from, String(i)), "");
    },
  ],
  ["levels of folders", (from: string) => mkdir(join(from, "a/b/c/d/e"), { recursive: true })],
] as const) {
  test(`too many ${what} are refused`, async (t) => {
    const from = await folder(t);
    await create(from);
    await assert.rejects(inspectOutputs(from, limits), (error) => isIchainError(error, "OUTPUT_TOO_LARGE"));
  });
}
