import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, type TestContext, test } from "node:test";
import type { Hosting } from "../../../src/ports/transport.ts";
import { tokenFor } from "../../../src/protocol/parcel/locator.ts";
import { newOnionIdentity } from "../../../src/transfer/onion/identity.ts";
import { type Party, TorFixture } from "../../support/onion/tor.ts";
import { makeBlob } from "../../support/parcel/blob.ts";
import { needs } from "../../support/require.ts";

const fixture = new TorFixture();
after(() => fixture.close());

/** Seconds in which a tor that forgets every eleven would have done it a third time. */
const WATCHED_MS = 24_000;

test("readers of one onion cannot take it from each other", {
  ...needs("tor"),
  timeout: 180_000,
}, async (t) => {
  await fixture.up();
  const [host, victim, waiting] = await Promise.all([
    fixture.party("host"),
    fixture.party("victim", { spareHosts: 0 }),
    fixture.party("waiting", { spareHosts: 0 }),
  ]);
  const blob = await makeBlob(fixture.dir, 300_000);
  const identity = await host.transport.newIdentity();
  const own = (party: Party) => {
    const token = tokenFor(identity.endpoint.token, party.reader.fingerprint);
    return { ...party.reader, token };
  };
  const hosting = await host.transport.host({
    identity,
    blobs: [blob],
    readers: [own(victim), own(waiting)],
  });
  const fetchAs = (party: Party, name: string) => fetchBy(party, hosting, own(party).token, blob.root, name);
  // Meanwhile: it waits for what a host that never comes had promised.
  const impatient = watchForgetting(t, waiting);

  await t.test(
    "a validator that published a colleague's onion key and abstains locks nobody out",
    async () => {
      const twin = { ...own(await fixture.party("twin", { spareHosts: 0 })), onionKey: victim.key.publicKey };
      await hosting.admit(twin);
      await hosting.dismiss(twin);
      // A tor that never saw the onion: what one remembers of it proves nothing.
      const again = {
        ...victim,
        ...(await fixture.party("again", { spareHosts: 0, clientKey: victim.key })),
      };
      assert.deepEqual(await fetchAs({ ...again, reader: victim.reader }, "after-the-twin"), blob.content);
      const asTwin = fetchBy(again, hosting, twin.token, blob.root, "as-twin");
      await assert.rejects(asTwin, { code: "TRANSFER_FORBIDDEN" });
    },
  );

  await t.test(
    "and once the last reader with a key is dismissed, the key opens the onion no longer",
    async () => {
      await hosting.dismiss(own(victim));
      const late = await fixture.party("late", { spareHosts: 0, clientKey: victim.key });
      const { fingerprint } = victim.reader;
      const ask = { endpoint: hosting.endpoint, root: blob.root, fingerprint };
      await assert.rejects(late.transport.fetchCapsule(ask), { code: "TRANSFER_UNREACHABLE" });
    },
  );

  await t.test(
    "a host that never comes has its reader's tor forget a few times, not every eleven seconds",
    async () => {
      const { forgotten, overMs } = await impatient;
      assert.ok(overMs >= WATCHED_MS, `watched for ${overMs} ms`);
      const allowed = [0, 11, 44, 143, 440].filter((s) => s * 1000 <= overMs).length;
      assert.ok(forgotten >= 1 && forgotten <= allowed, `${forgotten} times in ${overMs} ms`);
    },
  );

  await t.test("and what else that tor reads comes through", async () => {
    assert.deepEqual(await fetchAs(waiting, "beside-the-wait"), blob.content);
  });
});

async function fetchBy(
  party: Party,
  hosting: Hosting,
  token: `0x${string}`,
  root: `0x${string}`,
  name: string,
) {
  const path = join(fixture.dir, name);
  await party.transport.fetch({ endpoint: { ...hosting.endpoint, token }, root, path, maxBytes: 1e6 });
  return readFile(path);
}

/** Asks an onion that nobody hosts for a capsule, over and over; how often the asker's tor was told to forget. */
async function watchForgetting(t: TestContext, { transport }: Party) {
  const signals = await newnymCounter(t, join(fixture.dir, "waiting", "reader-0"));
  const { endpoint } = newOnionIdentity();
  const ask = { endpoint, root: `0x${"1".repeat(64)}`, fingerprint: `0x${"2".repeat(64)}` } as const;
  const began = performance.now();
  do {
    await assert.rejects(transport.fetchCapsule(ask), { code: "TRANSFER_UNREACHABLE" });
  } while (performance.now() - began < WATCHED_MS);
  return { forgotten: signals.count, overMs: performance.now() - began };
}

/** Counts what a second controller of that tor hears of NEWNYM. */
async function newnymCounter(t: TestContext, dir: string): Promise<{ count: number }> {
  const cookie = (await readFile(join(dir, "control_auth_cookie"))).toString("hex");
  const socket = connect(join(dir, "control"));
  t.after(() => socket.destroy());
  const counted = { count: 0 };
  const ready = Promise.withResolvers<void>();
  createInterface({ input: socket }).on("line", (line) => {
    if (line === "650 SIGNAL NEWNYM") counted.count += 1;
    if (line === "250 Subscribed" || line === "250 OK") ready.resolve();
  });
  socket.write(`AUTHENTICATE ${cookie}\r\nSETEVENTS SIGNAL\r\n`);
  await ready.promise;
  return counted;
}
