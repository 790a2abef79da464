import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Feed } from "../../../src/ports/transport.ts";
import { toHex } from "../../../src/protocol/bytes.ts";
import { PIECE_BYTES } from "../../../src/protocol/limits.ts";
import { merkleRoot } from "../../../src/transfer/merkle.ts";
import type { PieceLimits } from "../../../src/transfer/pieces/ports.ts";
import { createPieceServer } from "../../../src/transfer/pieces/server.ts";
import {
  authorization,
  dataPath,
  LEAF_BYTES,
  partPath,
  piecesPath,
  splitLeaves,
} from "../../../src/transfer/pieces/wire.ts";
import { makeBlob, temporaryFolder } from "../../support/parcel/blob.ts";

const MIB = 1 << 20;
const token = toHex(randomBytes(16));
const feedId = toHex(randomBytes(32));
const asking = (path: string, ...more: string[]) =>
  [`GET ${path} HTTP/1.1`, `Authorization: ${authorization(token)}`, ...more, "", ""].join("\r\n");

/** Not `once`: that rejects when the connection is cut while something is written. */
const closed = (socket: Socket) => new Promise((resolve) => socket.once("close", resolve));

/** A server with two blobs and a feed, and ways to connect to it. */
async function scene(
  t: TestContext,
  limits: Partial<PieceLimits>,
  read: Feed["read"] = async () => undefined,
) {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, 8 * MIB);
  // Its leaves alone exceed the socket buffers of both ends; the blob itself is not requested.
  const leaves = randomBytes(2 * MIB);
  const root = toHex(merkleRoot(splitLeaves(leaves)));
  const huge = { path: join(folder, "huge"), size: (leaves.length / LEAF_BYTES) * PIECE_BYTES, root };
  await writeFile(`${huge.path}.leaves`, leaves);
  const feeds = [{ id: feedId, read }];
  const server = createPieceServer({ token, blobs: [blob, huge], feeds, limits });
  const unix = join(folder, "s");
  await server.listen({ unix });
  t.after(() => server.close());
  const dial = () => {
    const socket = connect(unix).on("error", () => {});
    t.after(() => socket.destroy());
    return socket;
  };
  /** The first bytes of the answer; empty when the connection is cut instead. */
  const ask = async (request: string) => {
    const socket = dial();
    socket.end(request);
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => chunks.push(chunk));
    await closed(socket);
    return Buffer.concat(chunks).toString("latin1");
  };
  return { blob, huge, dial, ask };
}

const wholeBlob = ({ root, size }: { root: `0x${string}`; size: number }) =>
  asking(dataPath(root), `Range: bytes=0-${size - 1}`);

const answers = [
  { kind: "data", request: wholeBlob, bytes: 8 * MIB },
  {
    kind: "a leaf list",
    request: (_: unknown, huge: { root: `0x${string}` }) => asking(piecesPath(huge.root, 0)),
    bytes: 2 * MIB,
  },
];

for (const { kind, request, bytes } of answers) {
  test(`a reader that stops reading ${kind} is cut, and its connection no longer counts`, async (t) => {
    const { blob, huge, dial, ask } = await scene(t, { stallMs: 100, connections: 1 });
    const slow = dial();
    slow.write(request(blob, huge));
    await once(slow, "readable");
    let reply = await ask(asking("/"));
    assert.equal(reply, "");
    while (reply === "") reply = await ask(asking("/"));
    assert.match(reply, /^HTTP\/1.1 404/);
    let got = 0;
    slow.on("data", (chunk) => (got += chunk.length));
    await closed(slow);
    assert.ok(got > 0 && got < bytes, `${got} bytes`);
  });
}

test("a reader that requests parts and reads none is cut", async (t) => {
  let parts = 0;
  const more = () => void slow.write(asking(partPath(feedId, parts++)));
  const { dial, ask } = await scene(t, { stallMs: 100, connections: 1 }, async () => {
    setImmediate(more);
    return randomBytes(68 << 10);
  });
  const slow = dial();
  more();
  await once(slow, "readable");
  let reply = "";
  while (reply === "") reply = await ask(asking("/"));
  assert.match(reply, /^HTTP\/1.1 404/);
  assert.ok(parts > 1);
});

test("a pipelined request waits and opens nothing; a second one cuts the connection", async (t) => {
  const pending: (() => void)[] = [];
  const begun: number[] = [];
  const { dial } = await scene(t, {}, (from) => {
    begun.push(from);
    return new Promise((resolve) => pending.push(() => resolve(Uint8Array.of(from))));
  });
  // A read that is never answered would be waited for until its deadline, after the test.
  t.after(() => {
    for (const answer of pending) answer();
  });
  const two = dial();
  two.write(asking(partPath(feedId, 1)) + asking(partPath(feedId, 2)));
  const other = dial();
  other.write(asking(partPath(feedId, 3)));
  while (begun.length < 2) await new Promise(setImmediate);
  assert.deepEqual(begun.toSorted(), [1, 3]);
  pending[begun.indexOf(1)]!();
  const [first] = await once(two, "data");
  assert.equal(first.at(-1), 1);
  while (begun.length < 3) await new Promise(setImmediate);
  pending[2]!();
  const [second] = await once(two, "data");
  assert.equal(second.at(-1), 2);

  const many = dial();
  many.write(asking(partPath(feedId, 4)).repeat(1000));
  many.resume();
  await closed(many);
  assert.deepEqual(begun.slice(3), [4]);
});
