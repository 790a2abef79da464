import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { toHex } from "../../../src/protocol/bytes.ts";
import { TorBench } from "../../support/onion/tor.ts";
import { makeBlob } from "../../support/parcel/blob.ts";
import { requireTor } from "../../support/require.ts";

const bench = new TorBench();
after(() => bench.close());

test("a blob hosted on an onion reaches an authorised reader byte for byte", async (t) => {
  if (!requireTor(t)) return;
  await bench.up();
  const [host, guest] = await Promise.all([bench.party("host"), bench.party("guest")]);
  const blob = await makeBlob(bench.dir, 5_000_000);
  const identity = await host.transport.newIdentity();
  const hosting = await host.transport.host({ identity, blobs: [blob], readers: [guest.reader] });
  const path = join(bench.dir, "fetched");
  const fetched = await guest.transport.fetch({
    endpoint: hosting.endpoint,
    root: blob.root,
    path,
    maxBytes: 1e7,
  });
  assert.equal(fetched.size, blob.size);
  assert.deepEqual(await readFile(path), blob.content);

  await t.test("which gets its capsule once the host has published it", async () => {
    const ask = { endpoint: hosting.endpoint, root: blob.root, fingerprint: guest.reader.fingerprint };
    assert.equal(await guest.transport.fetchCapsule(ask), undefined);
    hosting.putCapsule(blob.root, guest.reader.fingerprint, Uint8Array.of(1, 2, 3));
    assert.deepEqual([...((await guest.transport.fetchCapsule(ask)) ?? [])], [1, 2, 3]);
  });

  await t.test("and so does a reader who is admitted while the host serves", async () => {
    const late = await bench.party("late", { spareHosts: 0 });
    await hosting.admit(late.reader);
    const request = {
      endpoint: hosting.endpoint,
      root: blob.root,
      path: join(bench.dir, "fetched-late"),
      maxBytes: 1e7,
    };
    await late.transport.fetch(request);
    assert.deepEqual(await readFile(request.path), blob.content);
  });

  await t.test("and the same identity is hosted again at the same address", async () => {
    await hosting.stop();
    const again = await host.transport.host({ identity, blobs: [blob], readers: [guest.reader] });
    assert.equal(again.endpoint.address, identity.endpoint.address);
    const request = {
      endpoint: again.endpoint,
      root: blob.root,
      path: join(bench.dir, "fetched-again"),
      maxBytes: 1e7,
    };
    await guest.transport.fetch(request);
    assert.deepEqual(await readFile(request.path), blob.content);
  });

  await t.test("and a feed is read where both sides derive that it is", async () => {
    const [seed, id] = [toHex(randomBytes(32)), toHex(randomBytes(32))];
    const feed = { id, read: async (from: number) => (from < 2 ? Buffer.from(`part ${from}`) : undefined) };
    const place = await host.transport.meetingPoint(seed);
    const live = await host.transport.host({
      identity: place,
      blobs: [],
      readers: [guest.reader],
      feeds: [feed],
    });
    const { endpoint } = await guest.transport.meetingPoint(seed);
    assert.deepEqual(endpoint, live.endpoint);
    const read = async (from: number) => guest.transport.fetchPart({ endpoint, id, from });
    assert.equal(String(await read(0)), "part 0");
    assert.equal(String(await read(1)), "part 1");
    assert.equal(await read(2), undefined);
    await live.stop();
  });
});
