import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fetchPieces } from "../../../src/transfer/pieces/fetch-pieces.ts";
import { PartFile } from "../../../src/transfer/pieces/reading/part-file.ts";
import { makeBlob, temporaryFolder } from "../../support/parcel/blob.ts";
import type { FetchOrder } from "../../support/pieces/fetch-child.ts";
import { covers, startHostileHost } from "../../support/pieces/hostile-host.ts";
import { markedPieces } from "../../support/pieces/part-bits.ts";

const MIB = 1 << 20;

test("a reader killed with SIGKILL resumes without fetching a verified piece again", async (t) => {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, 48 * MIB + 5);
  let killed = false;
  // The last third is not served to the first reader: at any speed it is killed in the middle.
  const host = await startHostileHost(
    t,
    blob,
    ({ range }) => !killed && range.last >= 32 * MIB && range.first > 0,
  );
  const request = { endpoint: host.endpoint, root: blob.root, path: join(folder, "got"), maxBytes: 64 * MIB };
  const child = fork(new URL("../../support/pieces/fetch-child.ts", import.meta.url));
  t.after(() => child.kill("SIGKILL"));
  child.send({ request } satisfies FetchOrder);
  const exited = once(child, "exit");
  child.on("message", async () => {
    const marked = await markedPieces(request.path, blob.leaves.length);
    if (marked.length >= 16) child.kill("SIGKILL");
  });
  assert.deepEqual(await exited, [null, "SIGKILL"]);
  killed = true;
  assert.ok(!existsSync(request.path));

  const left = (await PartFile.resume(request.path, { ...blob }))!;
  await left[Symbol.asyncDispose]();
  const asked = host.ranges.length;
  const got = await fetchPieces({ ...request, dialer: host.dialer });
  assert.deepEqual(got, { path: request.path, size: blob.size, root: blob.root });
  assert.ok(blob.content.equals(await readFile(request.path)));
  const again = host.ranges.slice(asked);
  const pieces = Array.from({ length: blob.leaves.length }, (_, piece) => piece);
  const refetched = pieces.filter((piece) => again.some((range) => covers(range, piece)));
  assert.deepEqual(
    refetched.filter((piece) => left.verified.has(piece)),
    [],
  );
  assert.equal(refetched.length, pieces.length - left.verified.size);
  t.diagnostic(
    `${left.verified.size} of ${pieces.length} pieces were verified, ${refetched.length} fetched after the kill`,
  );
  assert.ok(left.verified.size >= 16);
});
