import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readdirSync, readFileSync, watch } from "node:fs";
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { outputDisk } from "../../../src/sandbox/outputs/disk.ts";
import { needs } from "../../support/require.ts";

const CAP_BYTES = 64 * 2 ** 20;
const needed = needs("root", "mkfs.ext4", "flock");
const maker = fileURLToPath(new URL("./killed-maker.ts", import.meta.url));

async function temporaryHome(t: TestContext): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "ichain-disk-"));
  t.after(async () => {
    await outputDisk(home).destroy();
    await rm(home, { recursive: true, force: true });
  });
  return home;
}

/** Names of the running programs with `home` among their arguments, except Node. */
function programsOn(home: string): string[] {
  return globSync("/proc/[0-9]*").flatMap((process) => {
    try {
      const [program = "", ...args] = readFileSync(join(process, "cmdline"), "utf8").split("\0");
      return !program.includes("node") && args.some((arg) => arg.includes(home)) ? [program] : [];
    } catch {
      return []; // ended since it was listed
    }
  });
}

function mountsOf(home: string): string[] {
  const table = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return table.filter((line) => line.includes(home));
}

function loopDevicesOf(home: string): string[] {
  return globSync("/sys/block/loop*/loop/backing_file").filter((file) =>
    readFileSync(file, "utf8").includes(home),
  );
}

/** Resolves when the image of the disk in `home` appears: its script is running then. */
async function imageAppears(home: string): Promise<void> {
  const watcher = watch(home);
  for (let file: unknown; file !== "out.img"; ) [, file] = await once(watcher, "change");
  watcher.close();
}

function assertNothingLeft(home: string): void {
  assert.deepEqual(programsOn(home), []);
  assert.deepEqual(readdirSync(home), []);
  assert.deepEqual([mountsOf(home), loopDevicesOf(home)], [[], []]);
}

async function assertMadeAgain(home: string): Promise<void> {
  const disk = outputDisk(home);
  await disk.clear();
  await disk.create(CAP_BYTES);
  await writeFile(join(disk.dir, "name"), "second");
  assert.deepEqual(programsOn(home), []);
  assert.equal(mountsOf(home).length, 1);
  assert.deepEqual(readdirSync(disk.dir), ["name"]);
  await disk.destroy();
  assertNothingLeft(home);
}

test("a disk is made again although the tools of a killed process are still making it", needed, async (t) => {
  const home = await temporaryHome(t);
  const appeared = imageAppears(home);
  const first = spawn(process.execPath, [maker, home, String(CAP_BYTES)], { stdio: "inherit" });
  await appeared;
  first.kill("SIGKILL");
  await once(first, "close");
  await assertMadeAgain(home);
});

test("a script that gets the lock after its process was killed does nothing", needed, async (t) => {
  const home = await temporaryHome(t);
  const holder = spawn("flock", [home, "cat"], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => holder.stdin.end());
  holder.stdin.write("locked");
  await once(holder.stdout, "data");
  const first = spawn(process.execPath, [maker, home, String(CAP_BYTES)], { stdio: "inherit" });
  while (!programsOn(home).includes("sh")) await turn();
  first.kill("SIGKILL");
  await once(first, "close");
  assert.deepEqual(programsOn(home), ["flock", "sh"]);
  holder.stdin.end();
  while (programsOn(home).length > 0) await turn();
  assert.deepEqual(readdirSync(home), ["out"]);
  await assertMadeAgain(home);
});

test("destroying a disk waits for the tools of an aborted making", needed, async (t) => {
  const home = await temporaryHome(t);
  const disk = outputDisk(home);
  const abort = new AbortController();
  await disk.clear();
  const appeared = imageAppears(home);
  const making = disk.create(CAP_BYTES, { signal: abort.signal });
  await appeared;
  abort.abort();
  await assert.rejects(making, { name: "AbortError" });
  await disk.destroy();
  assertNothingLeft(home);
});

test("destroying a disk detaches the device that a crash before its mount has left", needed, async (t) => {
  const home = await temporaryHome(t);
  const image = join(home, "out.img");
  await outputDisk(home).clear();
  await writeFile(image, Buffer.alloc(2 ** 20));
  const device = execFileSync("losetup", ["--find", "--show", image], { encoding: "utf8" }).trim();
  const backing = `/sys/block/${basename(device)}/loop/backing_file`;
  assert.equal(readFileSync(backing, "utf8").trim(), await realpath(image));
  await outputDisk(home).destroy();
  const left = await readFile(backing, "utf8").catch(() => ""); // its number may be another disk's by now
  assert.equal(left.includes(home), false);
});
