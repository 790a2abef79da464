import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { isIchainError } from "../../../src/errors/error.ts";
import { TorFixture } from "../../support/onion/tor.ts";
import { makeBlob } from "../../support/parcel/blob.ts";
import { needs } from "../../support/require.ts";

const fixture = new TorFixture();
after(() => fixture.close());

// Tor caches a descriptor that it cannot decrypt; clearing that cache also drops the client keys it was given.
test("a reader that asks before it is admitted gets blob and capsule once it is", {
  ...needs("tor"),
  timeout: 120_000,
}, async () => {
  await fixture.up();
  const [host, early] = await Promise.all([fixture.party("host"), fixture.party("early", { spareHosts: 0 })]);
  const other = await fixture.party("other", { spareHosts: 0 });
  const blob = await makeBlob(fixture.dir, 200_000);
  const identity = await host.transport.newIdentity();
  const hosting = await host.transport.host({ identity, blobs: [blob], readers: [other.reader] });
  const { endpoint } = hosting;

  const path = join(fixture.dir, "fetched");
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
