import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { toHex } from "../../../src/protocol/bytes.ts";
import { parseAddress } from "../../../src/transfer/direct/direct-dialer.ts";
import { createDirectTransport } from "../../../src/transfer/direct/direct-transport.ts";
import { makeBlob, temporaryFolder } from "../../support/parcel/blob.ts";

const MIB = 1 << 20;
const fingerprint = toHex(randomBytes(32));

test("blobs of every size arrive byte-identical and leave no temporary files", async (t) => {
  const folder = await temporaryFolder(t);
  const transport = createDirectTransport({ listenHost: "127.0.0.1" });
  t.after(() => transport.stop());
  await transport.start();
  const sizes = [1, 1000, MIB - 1, MIB, MIB + 1, 2 * MIB, 2 * MIB + 1, 20 * MIB + 12_345];
  const blobs = await Promise.all(sizes.map((size) => makeBlob(folder, size, `blob-${size}`)));
  const hosting = await transport.host({ identity: await transport.newIdentity(), blobs, readers: [] });
  for (const { root, size, content } of blobs) {
    const path = join(folder, `got-${size}`);
    const got = await transport.fetch({ endpoint: hosting.endpoint, root, path, maxBytes: 64 * MIB });
    assert.deepEqual(got, { path, size, root });
    assert.ok(content.equals(await readFile(path)));
  }
  const leftovers = (await readdir(folder)).filter((name) => /\.(part|state)/.test(name));
  assert.deepEqual(leftovers, []);
});

test("a capsule is undefined until it is published, then arrives unchanged", async (t) => {
  const folder = await temporaryFolder(t);
  const transport = createDirectTransport({ listenHost: "127.0.0.1" });
  t.after(() => transport.stop());
  const blob = await makeBlob(folder, 5000);
  const hosting = await transport.host({
    identity: await transport.newIdentity(),
    blobs: [blob],
    readers: [],
  });
  const request = { endpoint: hosting.endpoint, root: blob.root, fingerprint };
  assert.equal(await transport.fetchCapsule(request), undefined);
  hosting.putCapsule(blob.root, fingerprint, Uint8Array.of(1, 2, 3));
  assert.deepEqual([...(await transport.fetchCapsule(request))!], [1, 2, 3]);
  assert.throws(() => hosting.putCapsule(blob.root, fingerprint, new Uint8Array(1025)), {
    code: "TRANSFER_BAD_CAPSULE",
  });
});

test("the same identity hosts at the same address again, unless the port is in use", async (t) => {
  const folder = await temporaryFolder(t);
  const transport = createDirectTransport({ listenHost: "127.0.0.1" });
  t.after(() => transport.stop());
  const blob = await makeBlob(folder, 5000);
  const identity = await transport.newIdentity();
  const request = { identity, blobs: [blob], readers: [] };
  const first = await transport.host(request);
  await first.stop();
  await first.stop();
  const occupant = createServer().listen(parseAddress(identity.endpoint.address));
  await once(occupant, "listening");
  await assert.rejects(transport.host(request), { code: "TRANSFER_PORT_TAKEN" });
  occupant.close();
  await once(occupant, "close");
  const again = await transport.host(request);
  assert.deepEqual(again.endpoint, identity.endpoint);
  await stat(`${blob.path}.leaves`);
});

test("a file that does not match its root is not hosted", async (t) => {
  const folder = await temporaryFolder(t);
  const transport = createDirectTransport({ listenHost: "127.0.0.1" });
  t.after(() => transport.stop());
  const blob = await makeBlob(folder, 3 * MIB);
  const identity = await transport.newIdentity();
  const other = { ...blob, root: toHex(randomBytes(32)) };
  await assert.rejects(transport.host({ identity, blobs: [other], readers: [] }), {
    code: "TRANSFER_BLOB_CHANGED",
  });
});

test("addresses that are not an IP address and a port are refused", () => {
  assert.deepEqual(parseAddress("[::1]:80"), { host: "::1", port: 80 });
  assert.deepEqual(parseAddress("10.0.0.7:8080"), { host: "10.0.0.7", port: 8080 });
  for (const bad of [
    "",
    "host",
    "node-1.lan:8080",
    "127.1:8080",
    "0x7f000001:8080",
    "010.0.0.1:8080",
    "[10.0.0.7]:8080",
    "host:0",
    "host:65536",
    "a b:1",
    "http://a:1",
    "[zz]:1",
    "a:1/x",
    "::1:80",
  ]) {
    assert.throws(() => parseAddress(bad), { code: "TRANSFER_BAD_ADDRESS" }, bad);
  }
});

test("a feed is read part by part at a derived address by a reader with the token", async (t) => {
  const transport = createDirectTransport({ listenHost: "127.0.0.1" });
  t.after(() => transport.stop());
  const [seed, id] = [toHex(randomBytes(32)), toHex(randomBytes(32))];
  const parts = ["zero", "one"];
  const asked: number[] = [];
  const more = Promise.withResolvers<void>();
  const feed = {
    id,
    async read(from: number) {
      asked.push(from);
      if (parts[from] === undefined) await more.promise;
      return parts[from] === undefined ? undefined : Buffer.from(parts[from]);
    },
  };
  await transport.host({
    identity: await transport.meetingPoint(seed),
    blobs: [],
    readers: [],
    feeds: [feed],
  });
  const { endpoint } = await transport.meetingPoint(seed);
  const read = async (from: number) => String(await transport.fetchPart({ endpoint, id, from }));
  assert.deepEqual([await read(0), await read(1)], ["zero", "one"]);
  const waiting = read(2);
  parts.push("two");
  more.resolve();
  assert.equal(await waiting, "two", "a reader waits for a part that does not exist yet");
  assert.equal(await transport.fetchPart({ endpoint, id, from: 3 }), undefined);
  assert.equal(
    await transport.fetchPart({ endpoint, id: seed, from: 0 }),
    undefined,
    "another feed does not exist",
  );
  const stranger = { ...endpoint, token: toHex(randomBytes(16)) };
  await assert.rejects(transport.fetchPart({ endpoint: stranger, id, from: 0 }), {
    code: "TRANSFER_FORBIDDEN",
  });
  assert.deepEqual([...new Set(asked)], [0, 1, 2, 3]);
});

test("a host announces the address that it listens at, and others reach it there", async (t) => {
  const folder = await temporaryFolder(t);
  const [one, other] = ["127.0.0.2", "127.0.0.3"].map((listenHost) => createDirectTransport({ listenHost }));
  assert.ok(one && other);
  t.after(() => Promise.all([one.stop(), other.stop()]));
  const blob = await makeBlob(folder, 5000);
  const { endpoint } = await one.host({ identity: await one.newIdentity(), blobs: [blob], readers: [] });
  assert.match(endpoint.address, /^127\.0\.0\.2:\d+$/);
  const path = join(folder, "got");
  await other.fetch({ endpoint, root: blob.root, path, maxBytes: MIB });
  assert.ok(blob.content.equals(await readFile(path)));
});

test("an address of another machine is refused with TRANSFER_NOT_OUR_ADDRESS", async () => {
  // From the block for documentation (RFC 5737): no machine has it.
  const transport = createDirectTransport({ listenHost: "192.0.2.7" });
  await assert.rejects(transport.newIdentity(), { code: "TRANSFER_NOT_OUR_ADDRESS" });
});
