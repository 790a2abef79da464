import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { toHex } from "../../../src/protocol/bytes.ts";
import { NOTICE_MAX_BYTES } from "../../../src/protocol/limits.ts";
import { tokenFor } from "../../../src/protocol/parcel/locator.ts";
import { createDirectTransport } from "../../../src/transfer/direct/direct-transport.ts";
import { createPieceServer } from "../../../src/transfer/pieces/server.ts";
import { authorization, dataPath, noticePath } from "../../../src/transfer/pieces/wire.ts";
import { makeBlob, temporaryFolder } from "../../support/parcel/blob.ts";
import { code } from "../../support/parcel/parcels.ts";

const token = toHex(randomBytes(16));
const good = { authorization: authorization(token) };

async function scene(
  t: TestContext,
  { takes = true, maxNotices }: { takes?: boolean; maxNotices?: number } = {},
) {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, 1000);
  const taken: Buffer[] = [];
  const onNotice = async (_root: string, notice: Uint8Array) => {
    if (notice[0] === 0) throw new RangeError("not to be taken");
    taken.push(Buffer.from(notice));
  };
  const taker = takes ? onNotice : undefined;
  const server = createPieceServer({ token, blobs: [blob], onNotice: taker, maxNotices });
  const unix = join(folder, "s");
  await server.listen({ unix });
  t.after(() => server.close());
  /** The status; undefined when the connection was cut. */
  const put = async (body: Buffer, { path = noticePath(blob.root), method = "PUT", headers = {} } = {}) => {
    const sent = request({ socketPath: unix, path, method, headers: { ...good, ...headers } });
    const answered = once(sent, "response").then(
      ([response]) => {
        response.resume();
        return response.statusCode as number;
      },
      () => undefined,
    );
    sent.on("error", () => undefined).end(body);
    return answered;
  };
  return { blob, taken, put };
}

test("a host takes a reader's notice, whole", async (t) => {
  const { put, taken } = await scene(t);
  const notice = randomBytes(NOTICE_MAX_BYTES);
  notice[0] = 1;
  assert.equal(await put(notice), 200);
  assert.deepEqual(taken, [notice]);
});

test("what is no notice, or comes from a stranger, is not taken", async (t) => {
  const { put, blob, taken } = await scene(t);
  const body = Buffer.from("x");
  assert.equal(await put(Buffer.alloc(NOTICE_MAX_BYTES + 1, 1)), 413);
  assert.equal(await put(body, { headers: { "transfer-encoding": "chunked" } }), 413);
  assert.equal(await put(body, { headers: { authorization: authorization(toHex(randomBytes(16))) } }), 403);
  assert.equal(await put(body, { path: dataPath(blob.root) }), 404);
  assert.equal(await put(body, { method: "POST" }), 404);
  assert.equal(await put(body, { method: "GET" }), 404);
  assert.deepEqual(taken, []);
});

test("a notice that its taker refuses is not confirmed", async (t) => {
  const { put, taken } = await scene(t);
  assert.equal(await put(Buffer.alloc(3)), undefined);
  assert.deepEqual(taken, []);
});

test("a host that takes no notices says so", async (t) => {
  const { put } = await scene(t, { takes: false });
  assert.equal(await put(Buffer.from("x")), 404);
});

for (const [maxNotices, most] of [[undefined, 8] as const, [9, 9] as const])
  test(`a reader leaves ${most} notices at most where its host takes ${maxNotices ?? "the usual number"}`, async (t) => {
    const { put, taken } = await scene(t, maxNotices === undefined ? {} : { maxNotices });
    const statuses: (number | undefined)[] = [];
    for (let i = 0; i <= most; i += 1) statuses.push(await put(Buffer.from([i + 1])));
    assert.deepEqual(statuses, [...Array(most).fill(200), 404]);
    assert.equal(taken.length, most);
  });

test("a notice arrives over the direct transport, every byte of it", async (t) => {
  const folder = await temporaryFolder(t);
  const blob = await makeBlob(folder, 1000);
  const [host, reader] = [1, 2].map(() => createDirectTransport({ listenHost: "127.0.0.1" }));
  t.after(() => Promise.all([host!.stop(), reader!.stop()]));
  const identity = await host!.newIdentity();
  const one = { fingerprint: toHex(randomBytes(32)), onionKey: toHex(randomBytes(32)) };
  const own = tokenFor(identity.endpoint.token, one.fingerprint);
  const arrived = Promise.withResolvers<Buffer>();
  await host!.host({
    identity,
    blobs: [blob],
    readers: [{ ...one, token: own }],
    onNotice: async (root, notice) => {
      assert.equal(root, blob.root);
      arrived.resolve(Buffer.from(notice));
    },
  });
  const endpoint = { ...identity.endpoint, token: own };
  const notice = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  await reader!.sendNotice({ endpoint, root: blob.root, notice });
  assert.deepEqual(await arrived.promise, notice);
  const stranger = { ...endpoint, token: toHex(randomBytes(16)) };
  await assert.rejects(
    reader!.sendNotice({ endpoint: stranger, root: blob.root, notice }),
    code("TRANSFER_FORBIDDEN"),
  );
});
