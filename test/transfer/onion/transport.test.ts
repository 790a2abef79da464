import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { toHex } from "../../../src/protocol/bytes.ts";
import { TorFixture } from "../../support/onion/tor.ts";
import { makeBlob } from "../../support/parcel/blob.ts";
import { needs } from "../../support/require.ts";

const fixture = new TorFixture();
after(() => fixture.close());

test("a blob hosted on an onion reaches an authorised reader byte for byte", needs("tor"), async (t) => {
  await fixture.up();
  const [host, reader] = await Promise.all([fixture.party("host"), fixture.party("reader")]);
  const blob = await makeBlob(fixture.dir, 5_000_000);
  const identity = await host.transport.newIdentity();
  const hosting = await host.transport.host({ identity, blobs: [blob], readers: [reader.reader] });
  const path = join(fixture.dir, "fetched");
  const fetched = await reader.transport.fetch({
    endpoint: hosting.endpoint,
    root: blob.root,
    path,
    maxBytes: 1e7,
  });
  assert.equal(fetched.size, blob.size);
  assert.deepEqual(await readFile(path), blob.content);

  await t.test("a reader gets its capsule once the host has published it", async () => {
    const ask = { endpoint: hosting.endpoint, root: blob.root, fingerprint: reader.reader.fingerprint };
    assert.equal(await reader.transport.fetchCapsule(ask), undefined);
    hosting.putCapsule(blob.root, reader.reader.fingerprint, Uint8Array.of(1, 2, 3));
    assert.deepEqual([...((await reader.transport.fetchCapsule(ask)) ?? [])], [1, 2, 3]);
  });

  await t.test("a reader that is admitted while the host serves gets the blob", async () => {
    const late = await fixture.party("late", { spareHosts: 0 });
    await hosting.admit(late.reader);
    const request = {
      endpoint: hosting.endpoint,
      root: blob.root,
      path: join(fixture.dir, "fetched-late"),
      maxBytes: 1e7,
    };
    await late.transport.fetch(request);
    assert.deepEqual(await readFile(request.path), blob.content);
  });

  await t.test("the same identity is hosted again at the same address", async () => {
    await hosting.stop();
    const again = await host.transport.host({ identity, blobs: [blob], readers: [reader.reader] });
    assert.equal(again.endpoint.address, identity.endpoint.address);
    const request = {
      endpoint: again.endpoint,
      root: blob.root,
      path: join(fixture.dir, "fetched-again"),
      maxBytes: 1e7,
    };
    await reader.transport.fetch(request);
    assert.deepEqual(await readFile(request.path), blob.content);
  });

  await t.test("a feed is read at an address that both sides derive from a seed", async () => {
    const [seed, id] = [toHex(randomBytes(32)), toHex(randomBytes(32))];
    const feed = { id, read: async (from: number) => (from < 2 ? Buffer.from(`part ${from}`) : undefined) };
    const place = await host.transport.meetingPoint(seed);
    const live = await host.transport.host({
      identity: place,
      blobs: [],
      readers: [reader.reader],
      feeds: [feed],
    });
    const { endpoint } = await reader.transport.meetingPoint(seed);
    assert.deepEqual(endpoint, live.endpoint);
    const read = async (from: number) => reader.transport.fetchPart({ endpoint, id, from });
    assert.equal(String(await read(0)), "part 0");
    assert.equal(String(await read(1)), "part 1");
    assert.equal(await read(2), undefined);
    await live.stop();
  });
});
