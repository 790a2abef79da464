import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { connectThroughTor } from "../../../../src/transfer/onion/reading/socks.ts";

/** A SOCKS port that sends these three replies, a byte at a time, and then `after`. */
async function startSocks(t: TestContext, replies: readonly Buffer[], after: Buffer = Buffer.alloc(0)) {
  const requests: Buffer[] = [];
  const server = createServer({ noDelay: true }, async (socket: Socket) => {
    socket.on("error", () => {});
    for (const reply of replies) {
      const [asked] = await once(socket, "data");
      requests.push(asked);
      for (const byte of reply) socket.write(Buffer.of(byte));
    }
    socket.write(after);
  }).listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  return { socks: { host: "127.0.0.1", port }, requests };
}

const reply = (...bytes: number[]) => Buffer.of(...bytes);
const OPEN = [reply(5, 2), reply(1, 0), reply(5, 0, 0, 1, 0, 0, 0, 0, 0, 0)];

async function connect(t: TestContext, replies: readonly Buffer[], after?: Buffer) {
  const { socks, requests } = await startSocks(t, replies, after);
  const outcomes: boolean[] = [];
  let bytes = "";
  const arrived = Promise.withResolvers<string>();
  const io = {
    onBytes(chunk: Buffer) {
      bytes += chunk.toString("latin1");
      if (bytes.length >= (after?.length ?? 0)) arrived.resolve(bytes);
      return true;
    },
    onReached: () => {},
  };
  const target = { socks, credentials: "visit/lane", host: "name.onion", port: 80 };
  const opening = connectThroughTor(target, io, (connected) => void outcomes.push(connected));
  return { opening, outcomes, requests, arrived: arrived.promise };
}

test("a connection is requested with credentials, and bytes after the last reply are the host's", async (t) => {
  for (const last of [
    OPEN[2]!,
    reply(5, 0, 0, 3, 2, 65, 66, 0, 80),
    reply(5, 0, 0, 4, ...Array(18).fill(7)),
  ]) {
    const { opening, outcomes, requests, arrived } = await connect(
      t,
      [OPEN[0]!, OPEN[1]!, last],
      Buffer.from("hello"),
    );
    const socket = await opening;
    assert.equal(await arrived, "hello");
    assert.deepEqual(outcomes, [true]);
    assert.deepEqual([...requests[0]!], [5, 1, 2]);
    assert.equal(requests[1]!.toString("latin1"), "\x01\x0avisit/lane\x01x");
    assert.equal(requests[2]!.toString("latin1"), "\x05\x01\x00\x03\x0aname.onion\x00\x50");
    socket.destroy();
  }
});

test("a refusal at any step ends the connection and is reported once", async (t) => {
  for (const [step, bad] of [reply(5, 255), reply(1, 1), reply(5, 6, 0, 1, 0, 0, 0, 0, 0, 0)].entries()) {
    const { opening, outcomes } = await connect(t, [...OPEN.slice(0, step), bad]);
    if (step < 2) await assert.rejects(opening);
    else {
      const socket = await opening;
      if (!socket.closed) await once(socket, "close").catch(() => {});
    }
    assert.deepEqual(outcomes, [false]);
  }
});

test("a closed SOCKS port is reported as a failure", async () => {
  const outcomes: boolean[] = [];
  const target = { socks: { host: "127.0.0.1", port: 1 }, credentials: "c", host: "h", port: 80 };
  const io = { onBytes: () => true, onReached: () => {} };
  await assert.rejects(
    connectThroughTor(target, io, (connected) => void outcomes.push(connected)),
    {
      code: "ECONNREFUSED",
    },
  );
  assert.deepEqual(outcomes, [false]);
});
