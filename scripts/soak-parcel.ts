/**
 * Takes a large parcel the whole way, each act in a process of its own: packed, hosted, fetched, opened.
 * Prints one JSON object: speed and peak memory of each act, and the most disk that each side took beside
 * its input. Usage: node scripts/soak-parcel.ts [GiB] [folder]
 */
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, open, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const GIB = 2 ** 30;
const BLOCK = 8 << 20;
const LOOK_MS = 200;
const gib = Number(process.argv[2] ?? 10);
const folder = await mkdtemp(join(process.argv[3] ?? tmpdir(), "ichain-soak-"));
const [there, here] = [join(folder, "there"), join(folder, "here")];

try {
  await Promise.all([mkdir(join(there, "in"), { recursive: true }), mkdir(here)]);
  await fill(join(there, "in", "data"), gib * GIB);
  const pack = await act("pack", there);
  const host = start("host", there);
  const [endpoint] = await once(host, "message");
  const fetched = await act("fetch", here, { ...endpoint, packed: join(there, "packed.json") });
  host.send("stop");
  const [hosted] = await once(host, "message");
  // The host's copy lies on another machine in life.
  await rm(there, { recursive: true });
  const opened = await act("open", here);
  assert.equal(opened.digest, pack.digest);
  console.log(JSON.stringify({ soak: "parcel", GiB: gib, pack, host: hosted, fetch: fetched, open: opened }));
} finally {
  await rm(folder, { recursive: true, force: true });
}

function start(name: string, cwd: string): ChildProcess {
  return fork(new URL("../test/support/large-parcel-child.ts", import.meta.url), [name], { cwd });
}

/** One act, and how much fuller the disk was at its fullest, GiB. */
async function act(name: string, cwd: string, order: unknown = {}) {
  const before = await usedBytes();
  let most = before;
  const look = setInterval(async () => {
    most = Math.max(most, await usedBytes());
  }, LOOK_MS);
  try {
    const child = start(name, cwd);
    child.send(order as object);
    const [result] = await once(child, "message");
    most = Math.max(most, await usedBytes());
    const disk_GiB = Math.round(((most - before) / GIB) * 100) / 100;
    const figures = { ...result, MBps: Math.round((gib * GIB) / 1e6 / result.seconds), disk_GiB };
    console.error(name, figures);
    return figures;
  } finally {
    clearInterval(look);
  }
}

async function usedBytes(): Promise<number> {
  const { blocks, bfree, bsize } = await statfs(folder);
  return (blocks - bfree) * bsize;
}

async function fill(path: string, size: number): Promise<void> {
  const block = Buffer.alloc(BLOCK);
  await using file = await open(path, "wx");
  for (let left = size; left > 0; left -= block.length) {
    await file.write(randomFillSync(block), 0, Math.min(left, block.length));
  }
}
