import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Hosting } from "../../../src/ports/transport.ts";
import { toHex } from "../../../src/protocol/bytes.ts";
import { type Endpoint, tokenFor } from "../../../src/protocol/parcel/locator.ts";
import { OnionReader, readerLines } from "../../../src/transfer/onion/reading/reader.ts";
import { ManagedTor } from "../../../src/transfer/onion/tor/tor.ts";
import { authorization, dataPath } from "../../../src/transfer/pieces/wire.ts";
import { type Party, TorFixture } from "../../support/onion/tor.ts";
import { makeBlob } from "../../support/parcel/blob.ts";
import { needs } from "../../support/require.ts";

const fixture = new TorFixture();
after(() => fixture.close());

const options = { ...needs("tor"), timeout: 180_000 };
/** More than the buffers between a host and a reader that does not read. */
const BLOB_BYTES = 12_000_000;

test("readers are admitted and dismissed while a host serves", options, async (t) => {
  await fixture.up();
  const [host, reader, late] = await Promise.all([
    fixture.party("host"),
    fixture.party("reader", { spareHosts: 0 }),
    fixture.party("late", { spareHosts: 0 }),
  ]);
  const blob = await makeBlob(fixture.dir, BLOB_BYTES);
  const identity = await host.transport.newIdentity();
  const notices: Buffer[] = [];
  const hosting = await host.transport.host({
    identity,
    blobs: [blob],
    readers: [reader.reader],
    onNotice: async (_root, notice) => void notices.push(Buffer.from(notice)),
  });
  const token = tokenFor(identity.endpoint.token, late.reader.fingerprint);
  const endpoint = { ...hosting.endpoint, token };
  const to = (name: string) => ({ root: blob.root, path: join(fixture.dir, name), maxBytes: 2e7 });

  await t.test("admitting one does not break a transfer under way", async (t) => {
    const transfer = await takeFirstBytes(reader, hosting, dataPath(blob.root));
    t.after(() => transfer.drop());
    await hosting.admit({ ...late.reader, token });
    const answer = await transfer.rest();
    assert.ok(answer.subarray(answer.indexOf("\r\n\r\n") + 4).equals(blob.content));
    await late.transport.fetch({ endpoint, ...to("fetched") });
    assert.deepEqual(await readFile(to("fetched").path), blob.content);
  });

  await t.test("a reader leaves a notice, every byte of it", async () => {
    const notice = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await reader.transport.sendNotice({ endpoint: hosting.endpoint, root: blob.root, notice });
    assert.deepEqual(notices, [notice]);
  });

  await t.test("a dismissed reader cannot find the onion, even with the host's token", async () => {
    await hosting.dismiss({ ...late.reader, token });
    // A tor without a cached descriptor, and the host's own token, which stays valid.
    const again = await fixture.party("again", { spareHosts: 0, clientKey: late.key });
    const ask = { endpoint: hosting.endpoint, root: blob.root, fingerprint: late.reader.fingerprint };
    await assert.rejects(again.transport.fetchCapsule(ask), { code: "TRANSFER_UNREACHABLE" });
    await hosting.admit(late.reader);
    assert.equal(await again.transport.fetchCapsule(ask), undefined);
  });

  await t.test(
    "the token of a dismissed reader is refused, also from another reader of the onion",
    async () => {
      const fetching = reader.transport.fetch({ endpoint, ...to("not-fetched") });
      await assert.rejects(fetching, { code: "TRANSFER_FORBIDDEN" });
      await reader.transport.fetch({ endpoint: hosting.endpoint, ...to("fetched-after") });
    },
  );
});

test(
  "guests open the address with a key that they share, and nothing there without their token",
  options,
  async () => {
    await fixture.up();
    const [host, guest, second] = await Promise.all([
      fixture.party("guests' host"),
      fixture.party("guest", { spareHosts: 0 }),
      fixture.party("second guest", { spareHosts: 0 }),
    ]);
    const blob = await makeBlob(fixture.dir, 5_000);
    const identity = await host.transport.newIdentity();
    const key = toHex(randomBytes(32));
    const request = { identity, blobs: [blob], readers: [], guestKey: key };
    const hosting = await host.transport.host(request);
    const { fingerprint } = guest.reader;
    const ask = (endpoint: Endpoint) => ({ endpoint, root: blob.root, fingerprint });
    const token = tokenFor(identity.endpoint.token, fingerprint);
    const endpoint = { ...hosting.endpoint, token, guestKey: key };

    await assert.rejects(guest.transport.fetchCapsule(ask(endpoint)), { code: "TRANSFER_FORBIDDEN" });
    await hosting.admit({ fingerprint, token });
    assert.equal(await guest.transport.fetchCapsule(ask(endpoint)), undefined);
    const path = join(fixture.dir, "fetched by a guest");
    await guest.transport.fetch({ endpoint, root: blob.root, path, maxBytes: 1e6 });
    assert.deepEqual(await readFile(path), blob.content);
    await hosting.dismiss({ fingerprint, token });
    await assert.rejects(guest.transport.fetchCapsule(ask(endpoint)), { code: "TRANSFER_FORBIDDEN" });

    // The right token, and a key of its own.
    const uninvited = ask({ ...hosting.endpoint, guestKey: toHex(randomBytes(32)) });
    await assert.rejects(second.transport.fetchCapsule(uninvited), { code: "TRANSFER_UNREACHABLE" });
  },
);

/** Asks for the whole blob on one connection and stops reading after the first bytes, until `rest` is called. */
async function takeFirstBytes({ key }: Party, { endpoint }: Hosting, path: string) {
  const { networkTorrc } = await fixture.up();
  const torrc = [...networkTorrc.split("\n"), ...readerLines];
  const tor = await ManagedTor.start({
    binary: "tor",
    dataDir: join(fixture.dir, "raw"),
    role: "raw",
    torrc,
  });
  const dialer = new OnionReader(tor, key.privateKey).dialer(endpoint.address);
  const [chunks, first] = [[] as Buffer[], Promise.withResolvers<void>()];
  let isReading = false;
  const socket = await dialer.connect("lane", {
    onReached: () => {},
    onBytes: (bytes) => {
      chunks.push(Buffer.from(bytes));
      first.resolve();
      return isReading;
    },
  });
  const ended = Promise.withResolvers<void>();
  socket.once("close", ended.resolve);
  const headers = [`Host: ${dialer.host}`, `Authorization: ${authorization(endpoint.token)}`];
  const range = `Range: bytes=0-${BLOB_BYTES - 1}`;
  socket.write([`GET ${path} HTTP/1.1`, ...headers, range, "Connection: close", "", ""].join("\r\n"));
  await first.promise;
  return {
    async rest() {
      isReading = true;
      socket.resume();
      await ended.promise;
      return Buffer.concat(chunks);
    },
    async drop() {
      socket.destroy();
      await tor.stop();
    },
  };
}
