import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { it, type TestContext } from "node:test";
import { type Header, pack } from "tar-stream";
import { isIchainError } from "../../../src/errors/error.ts";
import { packFolder, unpackFolder } from "../../../src/sandbox/engines/remote/archive.ts";

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "ichain-archive-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

function archive(
  entries: readonly (Partial<Header> & { name: string } & { text?: string })[],
): NodeJS.ReadableStream {
  const tar = pack();
  for (const { text = "", ...header } of entries) tar.entry(header, text);
  tar.finalize();
  return Readable.from(tar);
}

it("a packed folder is unpacked unchanged, except for links", async (t) => {
  const [from, into] = [await folder(t), await folder(t)];
  await mkdir(join(from, "out/a/b"), { recursive: true });
  await writeFile(join(from, "out/a/b/c"), "x".repeat(100_000));
  await writeFile(join(from, "out/empty"), "");
  await symlink("/etc/passwd", join(from, "out/link"));
  await unpackFolder(packFolder(from), { root: "out", into, maxBytes: 100_000 });
  assert.equal((await readFile(join(into, "a/b/c"))).length, 100_000);
  assert.equal((await readFile(join(into, "empty"))).length, 0);
  await assert.rejects(readFile(join(into, "link")), { code: "ENOENT" });
});

it("a hostile archive is refused: paths outside its root, links, devices, duplicates and control characters", async (t) => {
  const unsafe: readonly (readonly (Partial<Header> & { name: string } & { text?: string })[])[] = [
    [{ name: "out/../../x", text: "x" }],
    [{ name: "/out/x", text: "x" }],
    [{ name: "elsewhere/x", text: "x" }],
    [{ name: "out/./x", text: "x" }],
    [{ name: "out/link", type: "symlink", linkname: "/etc/passwd" }],
    [{ name: "out/hard", type: "link", linkname: "out/x" }],
    [{ name: "out/fifo", type: "fifo" }],
    [{ name: "out/dev", type: "character-device" }],
    [{ name: "out/a\nb", text: "x" }],
    [{ name: "out/a\\b", text: "x" }],
    [
      { name: "out/x", text: "1" },
      { name: "out/x", text: "2" },
    ],
    [
      { name: "out/x", text: "1" },
      { name: "out/x/y", text: "2" },
    ],
  ];
  for (const entries of unsafe) {
    const into = await folder(t);
    const unpacking = unpackFolder(archive(entries), { root: "out", into, maxBytes: 1000 });
    await assert.rejects(unpacking, (error) => isIchainError(error, "OUTPUT_UNSAFE"), entries[0]?.name);
  }
});

it("an archive that is too large or too deep is refused", async (t) => {
  const deep = `out/${"d/".repeat(40)}`;
  const large = [
    [
      { name: "out/x", text: "1".repeat(600) },
      { name: "out/y", text: "1".repeat(600) },
    ],
    [{ name: deep, type: "directory" as const }],
  ];
  for (const entries of large) {
    const unpacking = unpackFolder(archive(entries), { root: "out", into: await folder(t), maxBytes: 1000 });
    await assert.rejects(unpacking, (error) => isIchainError(error, "OUTPUT_TOO_LARGE"));
  }
});
