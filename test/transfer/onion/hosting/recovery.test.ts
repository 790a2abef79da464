import assert from "node:assert/strict";
import { EventEmitter, on } from "node:events";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { OnionHost } from "../../../../src/transfer/onion/hosting/host.ts";
import { removeOnion } from "../../../../src/transfer/onion/hosting/onion-service.ts";
import type { WatchdogNote } from "../../../../src/transfer/onion/hosting/watchdog.ts";
import { newOnionIdentity } from "../../../../src/transfer/onion/identity.ts";
import { OnionReader, readerLines } from "../../../../src/transfer/onion/reading/reader.ts";
import { fetchOnionFirstByte } from "../../../../src/transfer/onion/reading/small-fetches.ts";
import { ManagedTor } from "../../../../src/transfer/onion/tor/tor.ts";
import { createPieceServer } from "../../../../src/transfer/pieces/server.ts";
import { clientKey, TorFixture } from "../../../support/onion/tor.ts";
import { makeBlob } from "../../../support/parcel/blob.ts";
import { needs } from "../../../support/require.ts";

const fixture = new TorFixture();
after(() => fixture.close());
const options = { ...needs("tor", "long"), timeout: 240_000 };

test("an onion whose descriptor became stale is published again", options, async (t) => {
  const { host, tor, notes, fetchAsNewcomer } = await hosted(t, "stale");
  // The directories keep a descriptor whose introduction points no longer lead here.
  await removeOnion(await tor.control(), host.endpoint.address);
  await notes.until("recovered");
  assert.deepEqual(notes.all.slice(0, 2), ["unreachable", "republished"]);
  await fetchAsNewcomer();
});

test("a tor that hangs is restarted and publishes the onion at the same address", options, async (t) => {
  const { tor, notes, fetchAsNewcomer } = await hosted(t, "hung");
  const { pid } = tor;
  assert.ok(pid !== undefined);
  process.kill(pid, "SIGSTOP");
  await notes.until("recovered");
  assert.ok(notes.all.includes("restarted"));
  assert.notEqual(tor.pid, pid);
  await fetchAsNewcomer();
});

test("a tor that was killed is restarted and publishes the onion", options, async (t) => {
  const { tor, fetchAsNewcomer } = await hosted(t, "killed");
  const { pid } = tor;
  const closed = (await tor.control()).closed;
  process.kill(pid!, "SIGKILL");
  await closed;
  await fetchAsNewcomer();
  assert.notEqual(tor.pid, pid);
});

test(
  "an onion is probed when a directory refuses it and published again when no directory has it",
  options,
  async (t) => {
    const uploads = new EventEmitter();
    const { host, notes, reader } = await hosted(t, "refused", { probeIntervalMs: 3_600_000, uploads });
    const refused = { name: "HS_DESC", action: "FAILED", address: host.endpoint.address };
    const forget = t.mock.method(reader, "forget");
    // Two look-ups a probe: the first probe finds it with the second one, the next two probes do not find it.
    const answers = [false, true, false, false, false, false];
    t.mock.method(reader, "lookUp", async () => {
      if (answers.length === 6) uploads.emit("HS_DESC", refused);
      return answers.shift() ?? true;
    });
    uploads.emit("HS_DESC", refused);
    await notes.until("recovered");
    assert.deepEqual(notes.all, ["unreachable", "republished", "recovered"]);
    assert.equal(forget.mock.callCount(), 3);
  },
);

interface HostedOptions {
  readonly probeIntervalMs?: number;
  /** Source of the events of its descriptor's uploads, instead of its tor. */
  readonly uploads?: EventEmitter;
}

/** An onion that is probed every second, and a function that reads it with a tor that has no descriptor of it. */
async function hosted(
  t: TestContext,
  name: string,
  { probeIntervalMs = 1_000, uploads }: HostedOptions = {},
) {
  const { networkTorrc } = await fixture.up();
  const launch = async (role: string, lines: readonly string[]) => {
    const torrc = [...networkTorrc.split("\n"), ...lines];
    const tor = await ManagedTor.start({ binary: "tor", dataDir: join(fixture.dir, name), role, torrc });
    t.after(() => tor.stop());
    return tor;
  };
  const [tor, reading, newcomer] = await Promise.all([
    launch("host", ["SocksPort 0"]),
    launch("reader", readerLines),
    launch("newcomer", readerLines),
  ]);
  const key = clientKey();
  const blob = await makeBlob(fixture.dir, 100_000, `${name}.blob`);
  const identity = newOnionIdentity();
  const { endpoint } = identity;
  const notes = new Notes();
  const reader = new OnionReader(reading, key.privateKey);
  if (uploads !== undefined) {
    // Only the first subscription is replaced, the host's: publishing subscribes too.
    const listen = (event: string, options: { signal: AbortSignal }) => on(uploads, event, options);
    t.mock.method(await tor.control(), "events", listen, { times: 1 });
  }
  const host = new OnionHost({
    request: { identity, blobs: [blob], readers: [] },
    ownKey: key.publicKey,
    lease: { tor, release: async () => {} },
    reader,
    server: createPieceServer({ token: endpoint.token, blobs: [blob] }),
    probeIntervalMs,
    probeMs: 10_000,
    onNote: (note) => notes.add(note),
  });
  t.after(() => host.stop());
  await host.start(undefined);
  const fetchAsNewcomer = async () => {
    await tor.control();
    await fetchOnionFirstByte({
      reader: new OnionReader(newcomer, key.privateKey),
      endpoint,
      root: blob.root,
    });
  };
  return { host, tor, notes, reader, fetchAsNewcomer };
}

class Notes {
  readonly all: WatchdogNote[] = [];
  #wanted: WatchdogNote | undefined;
  readonly #noted = Promise.withResolvers<void>();

  add(note: WatchdogNote): void {
    this.all.push(note);
    if (note === this.#wanted) this.#noted.resolve();
  }

  async until(note: WatchdogNote): Promise<void> {
    this.#wanted = note;
    if (!this.all.includes(note)) await this.#noted.promise;
  }
}
