/**
 * Takes a large parcel the whole way, each act in a process of its own: packed, hosted, fetched, opened.
 * It travels over the direct transport: what is looked at is memory and disk, not Tor. Prints one JSON
 * object: speed and peak memory of each act, and the most disk that each took beside its input. Exit code
 * 1 when an act took more than 250 MiB of memory, or more disk than what it makes: the ciphertext, or the
 * output. Usage: node scripts/soak-parcel.ts [GiB] [folder]
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
const LIMITS = { rss_MiB: 250, disk_per_input: 1.02 };
const gib = Number(process.argv[2] ?? 10);
const folder = await mkdtemp(join(process.argv[3] ?? tmpdir(), "ichain-soak-"));
const [there, here] = [join(folder, "there"), join(folder, "here")];
let host: ChildProcess | undefined;

try {
  await Promise.all([mkdir(join(there, "in"), { recursive: true }), mkdir(here)]);
  await fill(join(there, "in", "data"), gib * GIB);
  const pack = await act("pack", there);
  host = start("host", there);
  const endpoint = await answer(host);
  const fetched = await act("fetch", here, { ...endpoint, packed: join(there, "packed.json") });
  host.send("stop");
  const hosted = await answer(host);
  // The host's copy lies on another machine in life.
  await rm(there, { recursive: true });
  const opened = await act("open", here);
  assert.equal(opened.digest, pack.digest);
  const acts = { pack, host: hosted, fetch: fetched, open: opened };
  console.log(JSON.stringify({ soak: "parcel", GiB: gib, ...acts, limits: LIMITS }));
  const small = [pack, hosted, fetched, opened].every(({ rss_MiB }) => rss_MiB <= LIMITS.rss_MiB);
  const frugal = [pack, fetched, opened].every(({ disk_GiB }) => disk_GiB <= gib * LIMITS.disk_per_input);
  process.exitCode = small && frugal ? 0 : 1;
} finally {
  host?.kill();
  await rm(folder, { recursive: true, force: true });
}

function start(name: string, cwd: string): ChildProcess {
  return fork(new URL("../test/support/parcel/large-parcel-child.ts", import.meta.url), [name], { cwd });
}

/** What a child says next; throws when it ends instead. */
async function answer(child: ChildProcess) {
  const ended = once(child, "exit").then(([code]) => assert.fail(`a child ended with ${code}`));
  const [said] = await Promise.race([once(child, "message"), ended]);
  return said;
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
    const result = await answer(child);
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
