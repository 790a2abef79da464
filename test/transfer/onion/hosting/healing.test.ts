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
import { clientKey, TorBench } from "../../../support/onion/tor.ts";
import { makeBlob } from "../../../support/parcel/blob.ts";
import { needs } from "../../../support/require.ts";

const bench = new TorBench();
after(() => bench.close());
const options = { ...needs("tor"), timeout: 240_000 };

test("a descriptor that went stale behind our back is published again", options, async (t) => {
  const { host, tor, notes, fetchAsNewcomer } = await hosted(t, "stale");
  // The directories go on giving out a descriptor whose introduction points know nothing of us.
  await removeOnion(await tor.control(), host.endpoint.address);
  await notes.until("healed");
  assert.deepEqual(notes.heard.slice(0, 2), ["unreachable", "republished"]);
  await fetchAsNewcomer();
});

test("a tor that hangs is restarted, and the onion is where it was", options, async (t) => {
  const { tor, notes, fetchAsNewcomer } = await hosted(t, "hung");
  const { pid } = tor;
  assert.ok(pid !== undefined);
  process.kill(pid, "SIGSTOP");
  await notes.until("healed");
  assert.ok(notes.heard.includes("restarted"));
  assert.notEqual(tor.pid, pid);
  await fetchAsNewcomer();
});

test("a tor that was killed comes back by itself and publishes the onion", options, async (t) => {
  const { tor, fetchAsNewcomer } = await hosted(t, "killed");
  const { pid } = tor;
  const fallen = (await tor.control()).closed;
  process.kill(pid!, "SIGKILL");
  await fallen;
  await fetchAsNewcomer();
  assert.notEqual(tor.pid, pid);
});

test(
  "an onion is looked at when a directory refuses it, and published again when none has it",
  options,
  async (t) => {
    const uploads = new EventEmitter();
    const { host, notes, reader } = await hosted(t, "refused", { probeIntervalMs: 3_600_000, uploads });
    const refused = { name: "HS_DESC", action: "FAILED", address: host.endpoint.address };
    const forget = t.mock.method(reader, "forget");
    // One directory that does not have it is not all; then none has it, and says so twice.
    const answers = [false, true, false, false, false, false];
    t.mock.method(reader, "lookUp", async () => {
      if (answers.length === 6) uploads.emit("HS_DESC", refused);
      return answers.shift() ?? true;
    });
    uploads.emit("HS_DESC", refused);
    await notes.until("healed");
    assert.deepEqual(notes.heard, ["unreachable", "republished", "healed"]);
    assert.equal(forget.mock.callCount(), 3);
  },
);

interface HostedOptions {
  readonly probeIntervalMs?: number;
  /** What the host hears about its descriptor's uploads, instead of what its tor says. */
  readonly uploads?: EventEmitter;
}

/** An onion whose watchdog looks every second, and a way to read it with a tor that never saw it. */
async function hosted(
  t: TestContext,
  name: string,
  { probeIntervalMs = 1_000, uploads }: HostedOptions = {},
) {
  const { networkTorrc } = await bench.up();
  const launch = async (role: string, lines: readonly string[]) => {
    const torrc = [...networkTorrc.split("\n"), ...lines];
    const tor = await ManagedTor.start({ binary: "tor", dataDir: join(bench.dir, name), role, torrc });
    t.after(() => tor.stop());
    return tor;
  };
  const [tor, reading, newcomer] = await Promise.all([
    launch("host", ["SocksPort 0"]),
    launch("reader", readerLines),
    launch("newcomer", readerLines),
  ]);
  const key = clientKey();
  const blob = await makeBlob(bench.dir, 100_000, `${name}.blob`);
  const identity = newOnionIdentity();
  const { endpoint } = identity;
  const notes = new Notes();
  const reader = new OnionReader(reading, key.privateKey);
  if (uploads !== undefined) {
    // The host listens before it publishes, which listens too.
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
  readonly heard: WatchdogNote[] = [];
  #wanted: WatchdogNote | undefined;
  readonly #came = Promise.withResolvers<void>();

  add(note: WatchdogNote): void {
    this.heard.push(note);
    if (note === this.#wanted) this.#came.resolve();
  }

  async until(note: WatchdogNote): Promise<void> {
    this.#wanted = note;
    if (!this.heard.includes(note)) await this.#came.promise;
  }
}
