import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { open, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { createNotifier } from "../../../src/notify/notifier.ts";
import { silentLogger } from "../../../src/ports/logger.ts";
import type { HostIdentity } from "../../../src/ports/transport.ts";
import { PIECE_BYTES } from "../../../src/protocol/limits.ts";
import { openTorClient } from "../../../src/transfer/onion/tor-client.ts";
import { fetchPieces } from "../../../src/transfer/pieces/fetch-pieces.ts";
import { startBareTor } from "../../support/onion/bare-onion.ts";
import type { HostOrder } from "../../support/onion/onion-host-child.ts";
import { clientKey, TorFixture } from "../../support/onion/tor.ts";
import { makeBlob, temporaryFolder } from "../../support/parcel/blob.ts";
import type { FetchOrder } from "../../support/pieces/fetch-child.ts";
import { covers, startHostileHost } from "../../support/pieces/hostile-host.ts";
import { BAD_PIECE, misbehaviours, namesBadPiece } from "../../support/pieces/misbehaviours.ts";
import { markedPieces } from "../../support/pieces/part-bits.ts";
import { needs } from "../../support/require.ts";

const MIB = 1 << 20;
const SIZE = 24 * MIB + 99;
/** Slow enough for a fault to happen in the middle of the transfer. */
const limits = { bytesPerSecond: 4 * MIB };
const options = { ...needs("tor", "alone"), timeout: 300_000 };

const fixture = new TorFixture();
after(() => fixture.close());

test(
  "an owner is told through a tor of its own, by a webhook that only Tor can reach",
  options,
  async (t) => {
    const { networkTorrc } = await fixture.up();
    const bodies: string[] = [];
    const server = createServer(async (request, response) => {
      bodies.push(Buffer.concat(await request.toArray()).toString());
      response.end();
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    t.after(() => server.close());
    const bare = await startBareTor(join(fixture.dir, "owner"), networkTorrc);
    t.after(() => bare.stop());
    const address = await bare.publish((server.address() as AddressInfo).port);
    const dataDir = join(fixture.dir, "teller");
    await using tor = openTorClient({ dataDir, torBinary: "tor", networkTorrc });
    const failures: unknown[] = [];
    const logger = { ...silentLogger, warn: (_: string, facts?: object) => void failures.push(facts) };
    {
      const settings = { webhook: `http://${address}.onion/`, through: "tor" as const };
      const told = { account: `0x${"ab".repeat(20)}` as const, logger, proxy: tor.socks };
      await using notifier = createNotifier(settings, told);
      notifier.tell({ event: "funds-low", text: "There is little funds left." });
    }
    assert.deepEqual(failures, []);
    assert.deepEqual(
      bodies.map((body) => JSON.parse(body).event),
      ["funds-low"],
    );
  },
);

test("a fetch continues with a new tor after the reader's tor was killed", options, async (t) => {
  const { blob, host, request } = await scene(t, "reader-tor");
  const reader = await fixture.party("reader-tor-reader", { spareHosts: 0 });
  const hosting = await host([reader.reader]);
  const killed = torIn("reader-tor-reader/reader-0");
  await fetchWith(reader.transport, { ...request, endpoint: hosting.endpoint }, () =>
    process.kill(killed, "SIGKILL"),
  );
  assert.notEqual(torIn("reader-tor-reader/reader-0"), killed);
  assert.ok(blob.content.equals(await readFile(request.path)));
});

test("a fetch continues at the same address after the host's tor was killed", options, async (t) => {
  const { blob, host, request } = await scene(t, "host-tor");
  const reader = await fixture.party("host-tor-reader", { spareHosts: 0 });
  const hosting = await host([reader.reader]);
  const killed = torIn("host-tor-host/host-0");
  await fetchWith(reader.transport, { ...request, endpoint: hosting.endpoint }, () =>
    process.kill(killed, "SIGKILL"),
  );
  assert.notEqual(torIn("host-tor-host/host-0"), killed);
  assert.ok(blob.content.equals(await readFile(request.path)));
});

test("a fetch continues over other circuits after two relays were lost", options, async (t) => {
  // More relays than usual: of few, two lost ones would be in most of the circuits that tor builds next.
  const own = new TorFixture({ relays: 8 });
  t.after(() => own.close());
  const network = await own.up();
  const { blob, request } = await scene(t, "relays", own);
  const reader = await own.party("relays-reader", { spareHosts: 0 });
  const host = await own.party("relays-host", { limits, spareHosts: 0 });
  const identity = await host.transport.newIdentity();
  const { endpoint } = await host.transport.host({ identity, blobs: [blob], readers: [reader.reader] });
  await fetchWith(reader.transport, { ...request, endpoint }, () => {
    void network.loseRelay(0);
    void network.loseRelay(1);
  });
  assert.ok(blob.content.equals(await readFile(request.path)));
});

test("a fetch continues after the host was killed with SIGKILL and restarted", options, async (t) => {
  const { blob, request } = await scene(t, "host-killed");
  const reader = await fixture.party("host-killed-reader", { spareHosts: 0 });
  const { networkTorrc } = await fixture.up();
  const order: HostOrder = {
    dataDir: join(fixture.dir, "host-killed-host"),
    networkTorrc,
    blob,
    readers: [reader.reader],
    limits,
  };
  const first = await startHost(t, order);
  let second: Promise<unknown> | undefined;
  await fetchWith(reader.transport, { ...request, endpoint: first.identity.endpoint }, () => {
    first.child.kill("SIGKILL");
    second = startHost(t, { ...order, identity: first.identity });
  });
  await second;
  assert.ok(blob.content.equals(await readFile(request.path)));
});

test("a reader killed with SIGKILL and restarted fetches no verified piece again", options, async (t) => {
  const { blob, host, request } = await scene(t, "reader-killed");
  const key = clientKey();
  const { networkTorrc } = await fixture.up();
  const onion = {
    dataDir: join(fixture.dir, "reader-killed-reader"),
    networkTorrc,
    clientKey: key,
    spareHosts: 0,
  };
  const hosting = await host([{ fingerprint: `0x${"11".repeat(32)}`, onionKey: key.publicKey }]);
  const order: FetchOrder = { request: { ...request, endpoint: hosting.endpoint }, onion };

  const first = startReader(t, order);
  const killed = once(first, "exit");
  first.on("message", async () => {
    if ((await markedPieces(request.path, blob.leaves.length)).length >= 6) first.kill("SIGKILL");
  });
  assert.deepEqual(await killed, [null, "SIGKILL"]);
  const marked = await markedPieces(request.path, blob.leaves.length);
  assert.ok(marked.length >= 6 && marked.length < blob.leaves.length);

  // Corrupt them at the host: fetching one of them again would end in TRANSFER_CORRUPT_PIECE.
  await using file = await open(blob.path, "r+");
  for (const piece of marked) await file.write(Buffer.alloc(1), 0, 1, piece * PIECE_BYTES);
  const second = startReader(t, order);
  assert.deepEqual(await once(second, "exit"), [0, null]);
  assert.ok(blob.content.equals(await readFile(request.path)));
  t.diagnostic(`${marked.length} of ${blob.leaves.length} pieces were verified when the reader was killed`);
});

const overTor = ["corrupts a piece", "breaks off within a piece", "declares a wrong length"].concat([
  "stalls within a piece",
  "sends garbage for headers",
  "sends a body without end",
]);
const brief = { tickMs: 100, stallMs: 3_000, backOffMs: 50, maxBackOffMs: 200, giveUpMs: 8_000 };

test(
  "a host that misbehaves over Tor once does not stop the fetch; one that always does ends it with an error",
  options,
  async (t) => {
    const folder = await temporaryFolder(t);
    const tor = await startBareTor(folder, (await fixture.up()).networkTorrc);
    t.after(() => tor.stop());
    const blob = await makeBlob(folder, 12 * MIB);
    for (const { does, misbehave, always } of misbehaviours.filter((misbehaviour) =>
      overTor.includes(misbehaviour.does),
    )) {
      let left = 1;
      const host = await startHostileHost(t, blob, (asked) => {
        if (asked.kind === "pieces" || !covers(asked.range, BAD_PIECE) || left-- <= 0) return false;
        misbehave(asked, blob);
        return true;
      });
      const dialer = tor.dialer(await tor.publish(host.port));
      const request = { ...host, dialer, root: blob.root, path: join(folder, does), maxBytes: 16 * MIB };
      await fetchPieces(request, {}, brief);
      assert.ok(blob.content.equals(await readFile(request.path)), does);
      left = Infinity;
      await rm(request.path);
      await assert.rejects(fetchPieces(request, {}, brief), namesBadPiece(always));
      assert.ok(!existsSync(request.path), does);
    }
  },
);

async function scene(t: TestContext, name: string, network = fixture) {
  const folder = await temporaryFolder(t);
  await network.up();
  const blob = await makeBlob(folder, SIZE);
  const host = async (readers: HostOrder["readers"]) => {
    const { transport } = await network.party(`${name}-host`, { limits, spareHosts: 0 });
    return transport.host({ identity: await transport.newIdentity(), blobs: [blob], readers });
  };
  return { blob, host, request: { root: blob.root, path: join(folder, "got"), maxBytes: 2 * SIZE } };
}

type Fetching = Parameters<Awaited<ReturnType<TorFixture["party"]>>["transport"]["fetch"]>[0];

/** Fetches, and calls `disturb` once a quarter of the blob is verified. */
async function fetchWith(
  transport: Awaited<ReturnType<TorFixture["party"]>>["transport"],
  request: Fetching,
  disturb: () => void,
) {
  let done = false;
  const onProgress = ({ bytes, total }: { bytes: number; total: number }) => {
    if (done || bytes < total / 4) return;
    done = true;
    disturb();
  };
  await transport.fetch(request, { onProgress });
  assert.ok(done, "the fetch was disturbed before its end");
}

/** The process id of the only tor with that data folder. */
function torIn(dir: string): number {
  const torrc = join(fixture.dir, dir, "torrc");
  const pids = readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const args = readFileSync(`/proc/${name}/cmdline`, "latin1").split("\0");
      return args[0] === "tor" && args.includes(torrc);
    } catch {
      return false;
    }
  });
  assert.equal(pids.length, 1, `tors in ${dir}: ${pids}`);
  return Number(pids[0]);
}

async function startHost(
  t: TestContext,
  order: HostOrder,
): Promise<{ child: ChildProcess; identity: HostIdentity }> {
  const child = fork(new URL("../../support/onion/onion-host-child.ts", import.meta.url));
  t.after(() => child.kill("SIGKILL"));
  child.send(order);
  const [identity] = await once(child, "message");
  return { child, identity };
}

function startReader(t: TestContext, order: FetchOrder): ChildProcess {
  const child = fork(new URL("../../support/pieces/fetch-child.ts", import.meta.url));
  t.after(() => child.kill("SIGKILL"));
  child.send(order);
  return child;
}
