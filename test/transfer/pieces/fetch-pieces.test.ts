import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { FetchProgress } from "../../../src/ports/transport.ts";
import { PIECE_BYTES } from "../../../src/protocol/limits.ts";
import { fetchPieces } from "../../../src/transfer/pieces/fetch-pieces.ts";
import type { LaneDialer } from "../../../src/transfer/pieces/lane-dialer.ts";
import { PartFile } from "../../../src/transfer/pieces/reading/part-file.ts";
import { defaultTuning } from "../../../src/transfer/pieces/reading/tuning.ts";
import { makeBlob, temporaryFolder } from "../../support/parcel/blob.ts";
import { covers, startHostileHost } from "../../support/pieces/hostile-host.ts";
import { needs } from "../../support/require.ts";

const MIB = 1 << 20;
/** Short, but far longer than any step takes on loopback. */
const brief = { tickMs: 20, stallMs: 400, backOffMs: 5, maxBackOffMs: 20, giveUpMs: 2_000, checkpointMs: 20 };

test("an interrupted fetch resumes and fetches no verified piece again", async (t) => {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, 24 * MIB + 77);
  const pause = new AbortController();
  const host = await startHostileHost(t, blob, ({ kind, response, before }) => {
    // Until the first fetch is aborted, requests from the tenth on get no answer.
    return kind === "data" && before >= 10 && !pause.signal.aborted && response.writableLength === 0;
  });
  const request = { ...host, root: blob.root, path: join(folder, "got"), maxBytes: 64 * MIB };
  let seen: FetchProgress | undefined;
  const onProgress = (progress: FetchProgress) => {
    if (progress.bytes === seen?.bytes && progress.bytes > 0) pause.abort();
    seen = progress;
  };
  await assert.rejects(
    fetchPieces(request, { signal: pause.signal, onProgress }, { ...brief, stallMs: 60_000 }),
    {
      name: "AbortError",
    },
  );
  assert.ok(!existsSync(request.path) && existsSync(`${request.path}.part`));
  const shape = { root: blob.root, size: blob.size, leaves: blob.leaves };
  const left = (await PartFile.resume(request.path, shape))!;
  await left[Symbol.asyncDispose]();
  assert.ok(seen!.bytes > 0 && left.verified.size >= Math.floor(seen!.bytes / PIECE_BYTES));
  const asked = host.ranges.length;
  await fetchPieces(request, {}, brief);
  assert.ok(blob.content.equals(await readFile(request.path)));
  for (const piece of left.verified) {
    assert.ok(!host.ranges.slice(asked).some((range) => covers(range, piece)), `piece ${piece}`);
  }
});

test("a piece that is corrupted once is fetched again", async (t) => {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, 16 * MIB);
  let corrupted = 0;
  const host = await startHostileHost(t, blob, ({ kind, range, body, response }) => {
    if (kind !== "data" || !covers(range, 20) || corrupted++ > 0) return false;
    const bad = Buffer.from(body);
    bad[20 * PIECE_BYTES - range.first]! ^= 1;
    const contentRange = `bytes ${range.first}-${range.last}/${blob.size}`;
    response.writeHead(206, { "Content-Range": contentRange, "Content-Length": bad.length }).end(bad);
    return true;
  });
  const request = { ...host, root: blob.root, path: join(folder, "got"), maxBytes: 64 * MIB };
  await fetchPieces(request, {}, brief);
  assert.ok(blob.content.equals(await readFile(request.path)));
  assert.ok(corrupted >= 2);
});

test("a piece that is always corrupted ends the fetch with its number and leaves no whole file", async (t) => {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, 16 * MIB);
  blob.content[20 * PIECE_BYTES + 3]! ^= 1;
  const host = await startHostileHost(t, blob, () => false);
  const request = { ...host, root: blob.root, path: join(folder, "got"), maxBytes: 64 * MIB };
  await assert.rejects(fetchPieces(request, {}, brief), {
    code: "TRANSFER_CORRUPT_PIECE",
    details: { piece: 20, offset: 20 * PIECE_BYTES },
  });
  assert.ok(!existsSync(request.path));
});

test("a file with the right root is not fetched again, another file is replaced", async (t) => {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, 3 * MIB);
  const host = await startHostileHost(t, blob, () => false);
  const request = { ...host, root: blob.root, path: join(folder, "got"), maxBytes: 64 * MIB };
  await writeFile(request.path, "something else");
  await fetchPieces(request, {}, brief);
  const asked = host.ranges.length;
  await fetchPieces(request, {}, brief);
  assert.ok(asked > 0);
  assert.equal(host.ranges.length, asked);
});

test(
  "a disk that fills up within a piece ends the fetch with an error; with more room the fetch resumes",
  needs("root"),
  async (t) => {
    const folder = await temporaryFolder(t);
    const blob = await makeBlob(folder, 3 * MIB);
    const host = await startHostileHost(t, blob, () => false);
    const disk = join(folder, "disk");
    await mkdir(disk);
    // Room for the blob but not for its state file: the last page of some piece does not fit.
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m,huge=never", "none", disk]);
    try {
      const request = { ...host, root: blob.root, path: join(disk, "got"), maxBytes: 16 * MIB };
      await assert.rejects(fetchPieces(request, {}, brief), { code: "TRANSFER_DISK_FAILED" });
      assert.ok(!existsSync(request.path));
      execFileSync("mount", ["-o", "remount,size=4m", disk]);
      await fetchPieces(request, {}, brief);
      assert.ok(blob.content.equals(await readFile(request.path)));
    } finally {
      execFileSync("umount", [disk]);
    }
  },
);

test("a lane reuses its connections: at most two are opened for each", async (t) => {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, 64 * MIB);
  const sockets = new Set<object>();
  const host = await startHostileHost(t, blob, ({ request }) => {
    sockets.add(request.socket);
    return false;
  });
  await fetchPieces({ ...host, root: blob.root, path: join(folder, "got"), maxBytes: 64 * MIB }, {}, brief);
  assert.ok(host.ranges.length > 24);
  // Taking over a tail cuts a request and with it a connection, so that a few more are opened.
  assert.ok(sockets.size <= 24, `${sockets.size} connections`);
});

test("lanes to a distant host connect before the list comes, and then ask for equal shares at once", async (t) => {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, 24 * MIB);
  const lanes = 48;
  const [connected, lists] = [new Set<string>(), { asked: 0 }];
  const all = Promise.withResolvers<void>();
  const host = await startHostileHost(t, blob, ({ kind, body, response }) => {
    if (kind !== "pieces") return false;
    lists.asked++;
    all.promise.then(() => response.writeHead(200, { "Content-Length": body.length }).end(body));
    return true;
  });
  const dialer: LaneDialer = {
    host: host.dialer.host,
    connect: (lane, io) => {
      if (connected.add(lane).size === lanes) all.resolve();
      return host.dialer.connect(lane, io);
    },
  };
  const { root, size } = blob;
  const path = join(folder, "got");
  await fetchPieces({ ...host, dialer, root, size, path, maxBytes: size, foundMs: defaultTuning.farMs });
  assert.ok(blob.content.equals(await readFile(path)));
  assert.equal(lists.asked, defaultTuning.hedgeLanes, "the others only connect");
  // The lanes that have asked for the list learn of it one after the other, and ask later.
  for (let share = 0; share < lanes - defaultTuning.hedgeLanes; share++) {
    const range = { first: (share * MIB) / 2, last: ((share + 1) * MIB) / 2 - 1 };
    assert.ok(
      host.ranges.some(({ first, last }) => first === range.first && last === range.last),
      `half MiB ${share}`,
    );
  }
});
