import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { toHex } from "../../../src/protocol/bytes.ts";
import type { PieceLimits } from "../../../src/transfer/pieces/ports.ts";
import { createPieceServer } from "../../../src/transfer/pieces/server.ts";
import { AccessList } from "../../../src/transfer/pieces/serving/access-list.ts";
import {
  authorization,
  capsulePath,
  dataPath,
  pieceCount,
  piecesPath,
} from "../../../src/transfer/pieces/wire.ts";
import { makeBlob, temporaryFolder } from "../../support/parcel/blob.ts";

const MIB = 1 << 20;
const token = toHex(randomBytes(16));
const good = { Authorization: authorization(token) };
const fingerprint = toHex(randomBytes(32));

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

async function scene(t: TestContext, size: number, limits?: Partial<PieceLimits>) {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, size);
  const server = createPieceServer({ token, blobs: [blob], limits });
  const unix = join(folder, "s");
  await server.listen({ unix });
  t.after(() => server.close());
  const ask = async (path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Reply> => {
    const sent = request({ socketPath: unix, path, headers, method }).end();
    const [response] = await once(sent, "response");
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
  };
  /** Everything that is received on a raw connection until the server closes it. */
  const raw = async (text: string) => {
    const socket = connect(unix);
    socket.write(text);
    return readAll(socket);
  };
  return { blob, server, unix, ask, raw };
}

async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk)).on("error", () => {});
  await once(socket, "close");
  return Buffer.concat(chunks).toString("latin1");
}

test("every request without the token gets an empty 403", async (t) => {
  const { blob, server, ask } = await scene(t, 1000);
  server.putCapsule(blob.root, fingerprint, Uint8Array.of(1));
  const unknown = toHex(randomBytes(32));
  const paths = [
    piecesPath(blob.root, 0),
    dataPath(blob.root),
    capsulePath(blob.root, fingerprint),
    piecesPath(unknown, 0),
    "/",
    "/../../etc/passwd",
    `/${"a".repeat(1000)}`,
  ];
  const wrong = [
    {},
    { Authorization: "" },
    { Authorization: "Bearer" },
    { Authorization: `${good.Authorization}0` },
  ];
  const replies: Reply[] = [];
  for (const path of paths) for (const headers of wrong) replies.push(await ask(path, headers));
  for (const method of ["POST", "HEAD", "PUT", "OPTIONS", "TRACE"]) replies.push(await ask("/", {}, method));
  replies.push(await ask(dataPath(blob.root), { Authorization: authorization(unknown), Range: "bytes=0-0" }));
  for (const { status, headers, body } of replies) {
    assert.equal(status, 403);
    assert.equal(body.length, 0);
    assert.deepEqual(headers, { "content-length": "0", connection: "close" });
  }
});

test("a request outside the protocol gets only a status, even with the token", async (t) => {
  const { blob, ask } = await scene(t, 1000);
  const cases: [string, Record<string, string>, string, number][] = [
    [piecesPath(toHex(randomBytes(32)), 0), {}, "GET", 404],
    ["/", {}, "GET", 404],
    [capsulePath(blob.root, fingerprint), {}, "GET", 404],
    [`${dataPath(blob.root)}?x=1`, {}, "GET", 404],
    [piecesPath(blob.root, 0), {}, "POST", 404],
    [dataPath(blob.root), {}, "GET", 416],
    ...["bytes=0-1000", "bytes=5-4", "bytes=-5", "bytes=0-", "bytes=0-1,3-4", "bytes=a-b", "lines=0-1"].map(
      (Range): [string, Record<string, string>, string, number] => [
        dataPath(blob.root),
        { Range },
        "GET",
        416,
      ],
    ),
  ];
  for (const [path, headers, method, status] of cases) {
    const reply = await ask(path, { ...good, ...headers }, method);
    assert.equal(reply.status, status, `${method} ${path} ${headers.Range}`);
    assert.equal(reply.body.length, 0);
  }
});

test("the leaf list, ranges and capsules are served as the protocol says", async (t) => {
  const { blob, server, ask } = await scene(t, 3 * MIB + 10);
  const list = await ask(piecesPath(blob.root, 1000), good);
  assert.equal(list.body.readBigUInt64BE(), BigInt(blob.size));
  assert.ok(list.body.subarray(8).equals(Buffer.concat(blob.leaves)));
  const part = await ask(dataPath(blob.root), { ...good, Range: `bytes=100-${MIB + 99}` });
  assert.equal(part.status, 206);
  assert.equal(part.headers["content-range"], `bytes 100-${MIB + 99}/${blob.size}`);
  assert.equal(part.headers.date, undefined);
  assert.ok(part.body.equals(blob.content.subarray(100, MIB + 100)));
  server.putCapsule(blob.root, fingerprint, Uint8Array.of(7, 8));
  assert.deepEqual([...(await ask(capsulePath(blob.root, fingerprint), good)).body], [7, 8]);
});

test("a small blob is sent with its leaf list when that was asked for", async (t) => {
  const { blob, ask } = await scene(t, MIB + 1);
  const { body } = await ask(piecesPath(blob.root, 2 * MIB), good);
  assert.ok(body.equals(Buffer.concat([body.subarray(0, 8), ...blob.leaves, blob.content])));
  assert.equal((await ask(piecesPath(blob.root, MIB), good)).body.length, 8 + pieceCount(blob.size) * 32);
});

test("a connection that does not speak HTTP is cut without an answer", async (t) => {
  const { raw } = await scene(t, 1000);
  assert.equal(await raw("\x16\x03\x01 hello\r\n\r\n"), "");
  assert.equal(await raw(`GET / HTTP/1.1\r\nX: ${"a".repeat(10_000)}\r\n\r\n`), "");
  assert.equal(await raw("GET / HTTP/1.1\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), "");
  assert.equal(await raw("CONNECT a:1 HTTP/1.1\r\n\r\n"), "");
});

test("a thousand bad requests and a hundred idle connections do not stop an honest reader", async (t) => {
  const { blob, unix, ask, raw } = await scene(t, 1000, { connections: 16 });
  const idle = Array.from({ length: 100 }, () => connect(unix).on("error", () => {}));
  t.after(() => {
    for (const socket of idle) socket.destroy();
  });
  await Promise.all(idle.map((socket) => (socket.connecting ? once(socket, "connect") : undefined)));
  for (let i = 0; i < 100; i++) {
    const kinds = [
      "GET / HTTP/1.1\r\n\r\n",
      "\0\0\0\r\n\r\n",
      `POST ${dataPath(blob.root)} HTTP/1.1\r\n\r\n`,
    ];
    await Promise.all(Array.from({ length: 10 }, (_, k) => raw(kinds[k % kinds.length]!)));
  }
  const { body } = await ask(piecesPath(blob.root, MIB), good);
  assert.ok(body.subarray(-1000).equals(blob.content));
});

test("a reader that does not read does not delay another", async (t) => {
  const { blob, unix, ask } = await scene(t, 8 * MIB);
  const slow = connect(unix).on("error", () => {});
  t.after(() => slow.destroy());
  const Range = `bytes=0-${8 * MIB - 1}`;
  slow.write(
    `GET ${dataPath(blob.root)} HTTP/1.1\r\nAuthorization: ${good.Authorization}\r\nRange: ${Range}\r\n\r\n`,
  );
  await once(slow, "readable");
  assert.equal((await ask(dataPath(blob.root), { ...good, Range })).body.length, 8 * MIB);
});

test("the rate cap holds over all connections together", async (t) => {
  const bytesPerSecond = 4 * MIB;
  const { blob, ask } = await scene(t, 2 * MIB, { bytesPerSecond });
  const begin = performance.now();
  const Range = `bytes=0-${MIB - 1}`;
  await Promise.all([1, 2].map(() => ask(dataPath(blob.root), { ...good, Range })));
  const seconds = (performance.now() - begin) / 1000;
  // The first chunk passes without waiting.
  assert.ok(seconds > (2 * MIB - 256 * 1024) / bytesPerSecond, `${seconds} s`);
});

test("the rate cap of a reader holds over all its connections and is not shared with another", async (t) => {
  const readerBytesPerSecond = 4 * MIB;
  const { blob, ask } = await scene(t, 2 * MIB, { readerBytesPerSecond });
  const begin = performance.now();
  const Range = `bytes=0-${MIB - 1}`;
  await Promise.all([1, 2].map(() => ask(dataPath(blob.root), { ...good, Range })));
  const seconds = (performance.now() - begin) / 1000;
  assert.ok(seconds > (2 * MIB - 256 * 1024) / readerBytesPerSecond, `${seconds} s`);
  const readers = new AccessList({ readerConnections: 1, readerBytesPerSecond, readerNotices: 1 });
  const other = toHex(randomBytes(16));
  readers.admit(token);
  readers.admit(other);
  const [one, two] = [token, other].map((who) => readers.authenticate(authorization(who))?.rateCap);
  assert.ok(one && two && one !== two);
});

test("a reader at its connection limit gets no further connection, another reader does", async (t) => {
  const { blob, server, unix } = await scene(t, 1000, { readerConnections: 2 });
  const other = toHex(randomBytes(16));
  server.admit(other);
  const open = (who: typeof other) => {
    const socket = connect(unix);
    t.after(() => socket.destroy());
    const path = capsulePath(blob.root, fingerprint);
    socket.write(`GET ${path} HTTP/1.1\r\nAuthorization: ${authorization(who)}\r\n\r\n`);
    return new Promise<string>((resolve) => {
      socket.once("data", (data) => resolve(data.toString("latin1").slice(9, 12)));
      socket.once("close", () => resolve("cut")).on("error", () => {});
    });
  };
  assert.deepEqual([await open(token), await open(token), await open(token)], ["404", "404", "cut"]);
  assert.equal(await open(other), "404");
});

test("a dismissed reader loses its connections and gets 403", async (t) => {
  const { blob, server, unix, ask } = await scene(t, 8 * MIB);
  const other = toHex(randomBytes(16));
  const headers = { Authorization: authorization(other), Range: `bytes=0-${8 * MIB - 1}` };
  assert.equal((await ask(dataPath(blob.root), headers)).status, 403);
  server.admit(other);
  const socket = connect(unix).on("error", () => {});
  socket.write(
    `GET ${dataPath(blob.root)} HTTP/1.1\r\nAuthorization: ${headers.Authorization}\r\nRange: ${headers.Range}\r\n\r\n`,
  );
  await once(socket, "readable");
  const closed = once(socket, "close");
  server.dismiss(other);
  socket.resume();
  await closed;
  assert.equal((await ask(dataPath(blob.root), headers)).status, 403);
  assert.equal((await ask(piecesPath(blob.root, 0), good)).status, 200);
});

test("a connection is closed after its limit of requests", async (t) => {
  const { unix, blob } = await scene(t, 1000, { requestsPerConnection: 3 });
  const socket = connect(unix).on("error", () => {});
  const path = capsulePath(blob.root, fingerprint);
  const more = () => socket.write(`GET ${path} HTTP/1.1\r\nAuthorization: ${good.Authorization}\r\n\r\n`);
  let answers = 0;
  socket.on("data", (data) => {
    answers += data.toString("latin1").match(/HTTP\/1\.1 404/g)?.length ?? 0;
    more();
  });
  more();
  await new Promise((resolve) => socket.once("close", resolve));
  assert.equal(answers, 3);
});

test("a blob that is removed gets the answer of one that was never here", async (t) => {
  const { blob, server, ask } = await scene(t, 1000);
  assert.equal((await ask(piecesPath(blob.root, 0), good)).status, 200);
  server.removeBlob(blob.root);
  for (const path of [piecesPath(blob.root, 0), dataPath(blob.root)]) {
    const { status, body } = await ask(path, { ...good, Range: "bytes=0-0" });
    assert.deepEqual([status, body.length], [404, 0]);
  }
  await server.addBlob(blob);
  assert.equal((await ask(piecesPath(blob.root, 0), good)).status, 200);
});
