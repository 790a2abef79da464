import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Hosting } from "../../../src/ports/transport.ts";
import { tokenFor } from "../../../src/protocol/parcel/locator.ts";
import { OnionReader, readerLines } from "../../../src/transfer/onion/reading/reader.ts";
import { ManagedTor } from "../../../src/transfer/onion/tor/tor.ts";
import { authorization, dataPath } from "../../../src/transfer/pieces/wire.ts";
import { type Party, TorBench } from "../../support/onion/tor.ts";
import { makeBlob } from "../../support/parcel/blob.ts";
import { needs } from "../../support/require.ts";

const bench = new TorBench();
after(() => bench.close());

const options = { ...needs("tor"), timeout: 180_000 };
/** More than lies between a host and a reader that takes nothing in. */
const BLOB_BYTES = 12_000_000;

test("readers come and go while a host serves", options, async (t) => {
  await bench.up();
  const [host, guest, late] = await Promise.all([
    bench.party("host"),
    bench.party("guest", { spareHosts: 0 }),
    bench.party("late", { spareHosts: 0 }),
  ]);
  const blob = await makeBlob(bench.dir, BLOB_BYTES);
  const identity = await host.transport.newIdentity();
  const hosting = await host.transport.host({ identity, blobs: [blob], readers: [guest.reader] });
  const token = tokenFor(identity.endpoint.token, late.reader.fingerprint);
  const endpoint = { ...hosting.endpoint, token };
  const to = (name: string) => ({ root: blob.root, path: join(bench.dir, name), maxBytes: 2e7 });

  await t.test("one is admitted, and a transfer in flight goes on over the same connection", async (t) => {
    const taken = await takeFirstBytes(guest, hosting, dataPath(blob.root));
    t.after(() => taken.drop());
    await hosting.admit({ ...late.reader, token });
    const answer = await taken.rest();
    assert.ok(answer.subarray(answer.indexOf("\r\n\r\n") + 4).equals(blob.content));
    await late.transport.fetch({ endpoint, ...to("fetched") });
    assert.deepEqual(await readFile(to("fetched").path), blob.content);
  });

  await t.test("once dismissed it finds the onion no longer, though it knew a token", async () => {
    await hosting.dismiss({ ...late.reader, token });
    // A tor that never saw the onion, with the host's own token, which nobody takes away.
    const again = await bench.party("again", { spareHosts: 0, clientKey: late.key });
    const ask = { endpoint: hosting.endpoint, root: blob.root, fingerprint: late.reader.fingerprint };
    await assert.rejects(again.transport.fetchCapsule(ask), { code: "TRANSFER_UNREACHABLE" });
    await hosting.admit(late.reader);
    assert.equal(await again.transport.fetchCapsule(ask), undefined);
  });

  await t.test("and its token opens nothing, also for somebody whom the onion lets in", async () => {
    const fetching = guest.transport.fetch({ endpoint, ...to("not-fetched") });
    await assert.rejects(fetching, { code: "TRANSFER_FORBIDDEN" });
    await guest.transport.fetch({ endpoint: hosting.endpoint, ...to("fetched-after") });
  });
});

/** Asks for the whole blob on one connection and takes nothing in after the first bytes until told to. */
async function takeFirstBytes({ key }: Party, { endpoint }: Hosting, path: string) {
  const { networkTorrc } = await bench.up();
  const torrc = [...networkTorrc.split("\n"), ...readerLines];
  const tor = await ManagedTor.start({ binary: "tor", dataDir: join(bench.dir, "raw"), role: "raw", torrc });
  const dialer = new OnionReader(tor, key.privateKey).dialer(endpoint.address);
  const [chunks, first] = [[] as Buffer[], Promise.withResolvers<void>()];
  let taking = false;
  const socket = await dialer.connect("lane", {
    onReached: () => {},
    onBytes: (bytes) => {
      chunks.push(Buffer.from(bytes));
      first.resolve();
      return taking;
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
      taking = true;
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
