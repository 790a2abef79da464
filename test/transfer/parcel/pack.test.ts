import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  appendFile,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { toHex } from "../../../src/protocol/bytes.ts";
import { createParcels } from "../../../src/transfer/parcel/parcels.ts";
import { code, makeTree, newKeyring, roomy, scratch } from "../../support/parcel/parcels.ts";
import { needs } from "../../support/require.ts";

const parcels = createParcels({ keyring: await newKeyring() });
const MiB = 1 << 20;

/** Asserts that packing fails with `wanted`, names `shown` and leaves the folder unchanged. */
async function refused(folder: string, paths: string[], wanted: string, shown?: string): Promise<void> {
  const before = await readdir(folder);
  const out = join(folder, "blob");
  await assert.rejects(parcels.pack({ root: join(folder, "in"), paths, out }), (error) => {
    if (shown !== undefined) assert.ok((error as Error).message.includes(shown), (error as Error).message);
    assert.equal((error as { class?: string }).class, "usage");
    return code(wanted)(error) || assert.fail(`${error}`);
  });
  assert.deepEqual(await readdir(folder), before);
  const digest = parcels.digest(join(folder, "in"), paths);
  await assert.rejects(digest, code(wanted));
}

test("links, FIFOs and sockets are not packed, and the error names them", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, { "real/a.txt": "a", "other/b": "b" });
  await symlink("/etc/passwd", join(root, "real/link"));
  await refused(folder, ["."], "PARCEL_UNSUPPORTED_FILE", "real/link");
  await refused(folder, ["real"], "PARCEL_UNSUPPORTED_FILE", "real/link");
  await rm(join(root, "real/link"));
  await symlink("real", join(root, "folder"));
  await refused(folder, ["folder/a.txt"], "PARCEL_UNSUPPORTED_FILE", "folder");
  await refused(folder, ["folder"], "PARCEL_UNSUPPORTED_FILE", "folder");
  await rm(join(root, "folder"));
  execFileSync("mkfifo", [join(root, "pipe")]);
  await refused(folder, ["."], "PARCEL_UNSUPPORTED_FILE", "pipe");
});

test("paths outside the folder, missing ones and unsafe names are not packed", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, { "a.txt": "a" });
  await refused(folder, ["../in/a.txt"], "PARCEL_UNSAFE_PATH");
  await refused(folder, ["/etc/passwd"], "PARCEL_UNSAFE_PATH");
  await refused(folder, ["a.txt", "missing.txt"], "PARCEL_INPUT_MISSING", "missing.txt");
  await writeFile(join(root, "A.TXT"), "other case");
  await refused(folder, ["."], "PARCEL_UNSAFE_PATH");
  await rm(join(root, "A.TXT"));
  await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.of(0x66, 0xff)]), "not UTF-8");
  await refused(folder, ["."], "PARCEL_UNSUPPORTED_FILE");
});

test("a file that changes while it is packed ends the pack with an error and no files", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, { "big.bin": randomBytes(20 * MiB) });
  const changes = [
    () => appendFile(join(root, "big.bin"), "more"),
    () => truncate(join(root, "big.bin"), 15 * MiB),
    () => writeFile(join(root, "big.bin"), Buffer.alloc(20 * MiB)),
  ];
  for (const change of changes) {
    let changed: Promise<void> | undefined;
    const onProgress = () => {
      changed ??= change();
    };
    const packing = parcels.pack({ root, paths: ["."], out: join(folder, "blob") }, { onProgress });
    await assert.rejects(packing, code("PARCEL_INPUT_CHANGED"));
    await changed;
    assert.deepEqual(await readdir(folder), ["in"]);
    await writeFile(join(root, "big.bin"), randomBytes(20 * MiB));
  }
});

/** Packs and aborts after `slices` slices. */
async function interrupted(request: Parameters<typeof parcels.pack>[0], slices: number): Promise<void> {
  const stop = new AbortController();
  let seen = 0;
  const onProgress = () => {
    if (++seen === slices) stop.abort();
  };
  await assert.rejects(parcels.pack(request, { signal: stop.signal, onProgress }), { name: "AbortError" });
}

test("an interrupted pack continues where it stopped", async (t) => {
  const folder = await scratch(t);
  const tree = { "a/small": "s", "b/big": randomBytes(30 * MiB), "c/last": "l", "d/empty": "" };
  const root = await makeTree(folder, tree);
  const request = { root, paths: ["."], out: join(folder, "blob") };
  await interrupted(request, 2);
  assert.deepEqual((await readdir(folder)).sort(), ["blob.part", "blob.resume", "in"]);
  assert.equal((await stat(join(folder, "blob.resume"))).mode & 0o777, 0o600);
  const started = await readFile(join(folder, "blob.part"));
  await interrupted(request, 3);

  const progress: number[] = [];
  const packed = await parcels.pack(request, { onProgress: (bytes) => void progress.push(bytes) });
  assert.ok(progress[0]! > 20 * MiB, "five slices were packed before");
  const blob = await readFile(packed.blob.path);
  assert.ok(blob.subarray(0, started.length).equals(started));
  assert.deepEqual((await readdir(folder)).sort(), ["blob", "in"]);
  await parcels.open({ ...packed, into: join(folder, "out"), limits: roomy });
  assert.deepEqual(await readFile(join(folder, "out/b/big")), tree["b/big"]);
  assert.equal(await parcels.digest(join(folder, "out"), ["."]), packed.digest);
});

test("an interrupted pack starts over when inputs, key or what it left have changed", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, { big: randomBytes(20 * MiB), other: "x" });
  const request = { root, paths: ["."], out: join(folder, "blob") };
  const firstProgress = async (again: typeof request & { sessionKey?: `0x${string}` }) => {
    const progress: number[] = [];
    const packed = await parcels.pack(again, { onProgress: (bytes) => void progress.push(bytes) });
    await parcels.open({ ...packed, into: join(folder, "out"), limits: roomy });
    await rm(join(folder, "out"), { recursive: true });
    return progress[0]!;
  };
  const causes: Record<string, () => Promise<Partial<typeof request> & { sessionKey?: `0x${string}` }>> = {
    "a file was touched": async () => writeFile(join(root, "other"), "y").then(() => ({})),
    "other paths": async () => ({ paths: ["big"] }),
    "another key": async () => ({ sessionKey: toHex(randomBytes(32)) }),
    "the ciphertext is gone": async () => rm(join(folder, "blob.part")).then(() => ({})),
    "the ciphertext is cut": async () => truncate(join(folder, "blob.part"), 100).then(() => ({})),
    "the log is garbage": async () => writeFile(join(folder, "blob.resume"), "{}\n{").then(() => ({})),
  };
  for (const [what, cause] of Object.entries(causes)) {
    await interrupted(request, 3);
    assert.ok((await firstProgress({ ...request, ...(await cause()) })) < 5 * MiB, what);
  }
});

test("a resume log with a truncated last line is continued from the line before", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, { big: randomBytes(30 * MiB) });
  const request = { root, paths: ["."], out: join(folder, "blob") };
  await interrupted(request, 2);
  await interrupted(request, 2);
  const log = await readFile(join(folder, "blob.resume"), "utf8");
  await writeFile(join(folder, "blob.resume"), log.slice(0, -10));
  const progress: number[] = [];
  const packed = await parcels.pack(request, { onProgress: (bytes) => void progress.push(bytes) });
  assert.ok(progress[0]! > 8 * MiB && progress[0]! < 16 * MiB);
  await parcels.open({ ...packed, into: join(folder, "out"), limits: roomy });
});

test("a killed pack continues from its last checkpoint", async (t) => {
  const folder = await scratch(t);
  const root = join(folder, "in");
  await mkdir(root);
  await writeFile(join(root, "big"), randomBytes(200 * MiB));
  const script = `
    import { createParcels } from ${JSON.stringify(new URL("../../../src/transfer/parcel/parcels.ts", import.meta.url).href)};
    import { newKeyring } from ${JSON.stringify(new URL("../../support/parcel/parcels.ts", import.meta.url).href)};
    const parcels = createParcels({ keyring: await newKeyring() });
    await parcels.pack(${JSON.stringify({ root, paths: ["."], out: join(folder, "blob") })}, {
      onProgress: (bytes) => { if (bytes > 150 * 2 ** 20) process.kill(process.pid, "SIGKILL"); },
    });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "ignore" });
  const [, signal] = await once(child, "exit");
  assert.equal(signal, "SIGKILL");
  const progress: number[] = [];
  const packed = await parcels.pack(
    { root, paths: ["."], out: join(folder, "blob") },
    { onProgress: (bytes) => void progress.push(bytes) },
  );
  assert.ok(progress[0]! > 64 * MiB, "at least one checkpoint was written");
  await parcels.open({ ...packed, into: join(folder, "out"), limits: roomy });
});

test("an aborted opening leaves no files", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, { a: "first", big: randomBytes(20 * MiB) });
  const packed = await parcels.pack({ root, paths: ["."], out: join(folder, "blob") });
  const stop = new AbortController();
  const request = { ...packed, into: join(folder, "out"), limits: roomy };
  const opening = parcels.open(request, { signal: stop.signal, onProgress: () => stop.abort() });
  await assert.rejects(opening, { name: "AbortError" });
  assert.deepEqual((await readdir(folder)).sort(), ["blob", "in"]);
  await parcels.open(request);
});

test("a parcel is opened into an empty folder, not into one with files", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, { a: "a" });
  const packed = await parcels.pack({ root, paths: ["a"], out: join(folder, "blob") });
  await assert.rejects(
    parcels.open({ ...packed, into: root, limits: roomy }),
    code("PARCEL_TARGET_OCCUPIED"),
  );
  assert.deepEqual(await readdir(root), ["a"]);
  await mkdir(join(folder, "empty"));
  await parcels.open({ ...packed, into: join(folder, "empty"), limits: roomy });
  assert.deepEqual(await readdir(join(folder, "empty")), ["a"]);
});

test("files of a crashed opening are removed by the next one", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, { a: "a" });
  const packed = await parcels.pack({ root, paths: ["a"], out: join(folder, "blob") });
  await makeTree(folder, { a: "old", b: "half" }, "out.partial");
  await parcels.open({ ...packed, into: join(folder, "out"), limits: roomy });
  assert.deepEqual(await readdir(join(folder, "out")), ["a"]);
  assert.deepEqual((await readdir(folder)).sort(), ["blob", "in", "out"]);
});

test("a full disk ends pack and open with PARCEL_DISK_FULL and no files", needs("root"), async (t) => {
  const folder = await scratch(t);
  const disk = join(folder, "disk");
  await mkdir(disk);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=10m", "none", disk]);
  try {
    const root = await makeTree(folder, { big: randomBytes(20 * MiB) });
    const request = { root, paths: ["."], out: join(disk, "blob") };
    await assert.rejects(parcels.pack(request), code("PARCEL_DISK_FULL"));
    assert.deepEqual(await readdir(disk), []);
    const packed = await parcels.pack({ ...request, out: join(folder, "blob") });
    const opening = parcels.open({ ...packed, into: join(disk, "out"), limits: roomy });
    await assert.rejects(opening, code("PARCEL_DISK_FULL"));
    assert.deepEqual(await readdir(disk), []);
  } finally {
    execFileSync("umount", [disk]);
  }
});

test("a folder may be named with a slash at its end", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, { a: "a" });
  const packed = await parcels.pack({ root: `${root}/`, paths: ["."], out: join(folder, "blob") });
  await parcels.open({ ...packed, into: `${join(folder, "out")}/`, limits: roomy });
  assert.deepEqual(await readdir(join(folder, "out")), ["a"]);
});

test("an unwritable path and a missing blob give PARCEL_IO", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, { a: "a" });
  const out = "/dev/full/blob";
  await assert.rejects(parcels.pack({ root, paths: ["a"], out }), code("PARCEL_IO"));
  const packed = await parcels.pack({ root, paths: ["a"], out: join(folder, "blob") });
  await rm(packed.blob.path);
  await assert.rejects(
    parcels.open({ ...packed, into: join(folder, "x"), limits: roomy }),
    code("PARCEL_IO"),
  );
});
