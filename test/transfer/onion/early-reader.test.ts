import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { isIchainError } from "../../../src/errors/error.ts";
import { TorBench } from "../../support/onion/tor.ts";
import { makeBlob } from "../../support/parcel/blob.ts";
import { requireTor } from "../../support/require.ts";

const bench = new TorBench();
after(() => bench.close());

// Tor remembers a descriptor that it could not read, and forgets the keys it was given when told to forget.
test("a reader that asks before it is let in gets everything once it is", { timeout: 120_000 }, async (t) => {
  if (!requireTor(t)) return;
  await bench.up();
  const [host, early] = await Promise.all([bench.party("host"), bench.party("early", { spareHosts: 0 })]);
  const other = await bench.party("other", { spareHosts: 0 });
  const blob = await makeBlob(bench.dir, 200_000);
  const identity = await host.transport.newIdentity();
  const hosting = await host.transport.host({ identity, blobs: [blob], readers: [other.reader] });
  const { endpoint } = hosting;

  const path = join(bench.dir, "fetched");
  const fetching = early.transport.fetch({ endpoint, root: blob.root, path, maxBytes: 1e6 });
  const ask = { endpoint, root: blob.root, fingerprint: early.reader.fingerprint };
  const refusals = { count: 0 };
  const capsule = (async () => {
    for (;;) {
      const got = await early.transport.fetchCapsule(ask).catch((error: unknown) => {
        if (!isIchainError(error) || !error.retryable) throw error;
        refusals.count += 1;
      });
      if (got) return got;
      await pause(250);
    }
  })();
  while (refusals.count < 5) await pause(50);
  hosting.putCapsule(blob.root, early.reader.fingerprint, Uint8Array.of(7));
  await hosting.admit(early.reader);

  assert.deepEqual([...(await capsule)], [7]);
  await fetching;
  assert.deepEqual(await readFile(path), blob.content);
});
