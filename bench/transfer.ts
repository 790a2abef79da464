// One blob over a private Tor network: ichain, one OnionShare download, and eight curl ranges on a plain onion, in turns
// on the same network. One JSON object on the last line of stdout; exit code 1 below a limit, 3 when a program is
// missing.
//   node bench/transfer.ts [--mib 64] [--pairs 3] [--delays 0,60]    (milliseconds before every relay)
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startTorNetwork } from "../src/devnet/tor/network.ts";
import type { HostIdentity } from "../src/ports/transport.ts";
import { createOnionTransport } from "../src/transfer/onion/transport.ts";
import { startBareTor } from "../test/support/onion/bare-onion.ts";
import type { HostOrder } from "../test/support/onion/onion-host-child.ts";
import { clientKey } from "../test/support/onion/tor.ts";
import { makeBlob } from "../test/support/parcel/blob.ts";
import { requirePrograms } from "./requirements.ts";
import { curl, curlRanges, fileSize } from "./transfer/curl.ts";
import { shareWithOnionShare } from "./transfer/onionshare.ts";

requirePrograms({ tor: "tor", curl: "curl", "onionshare-cli": "onionshare-cli" });
const { values: flags } = parseArgs({
  options: {
    mib: { type: "string", default: "64" },
    pairs: { type: "string", default: "3" },
    delays: { type: "string", default: "0,60" },
  },
});
const MIB = 1 << 20;
const PARTS = 8;
/** Least ratios. */
const LIMITS = { ratio_onionshare: 5, ratio_limit: 0.85, delayed: { ratio_onionshare: 6 } };
const ZERO = "00".repeat(32);
const mib = Number(flags.mib);

const dir = await mkdtemp(join(tmpdir(), "ichain-bench-"));
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const round = (value: number) => Math.round(value * 100) / 100;

async function measure(name: string, delayMs: number) {
  const home = join(dir, name);
  await mkdir(home);
  const blob = await makeBlob(home, mib * MIB);
  const network = await startTorNetwork({ dir: join(home, "network"), delayMs });
  const stops: (() => unknown)[] = [() => network.stop()];
  const tor = async (role: string) => {
    const started = await startBareTor(join(home, role), network.networkTorrc);
    stops.push(() => started.stop());
    return started;
  };
  const child = (file: string, ...args: string[]): ChildProcess => {
    const process = fork(new URL(`./transfer/${file}`, import.meta.url), args);
    stops.push(() => {
      process.disconnect();
      return once(process, "exit");
    });
    return process;
  };
  try {
    const { socksPort } = await tor("client");
    const theirs = await tor("onionshare");
    const share = await shareWithOnionShare(home, theirs.controlSocket, blob.path);
    stops.push(() => share.process.kill("SIGINT"));
    const bare = await tor("bare");
    const [barePort] = await once(child("bare-host.ts", blob.path), "message");
    const bareUrl = `http://${await bare.publish(barePort)}.onion/`;

    const key = clientKey();
    const reader = createOnionTransport({
      dataDir: join(home, "reader"),
      networkTorrc: network.networkTorrc,
      clientKey: key,
      spareHosts: 0,
    });
    await reader.start();
    stops.push(() => reader.stop());
    const host = child("../../test/support/onion/onion-host-child.ts");
    const order: HostOrder = {
      dataDir: join(home, "host"),
      networkTorrc: network.networkTorrc,
      blob: { path: blob.path, size: blob.size, root: blob.root },
      readers: [{ fingerprint: `0x${ZERO}`, onionKey: key.publicKey }],
    };
    host.send(order);
    const [{ endpoint }] = (await once(host, "message")) as [HostIdentity];

    const ways = {
      onionshare: async (path: string) => curl(socksPort, `${share.url}/download`, path),
      limit: async (path: string) => curlRanges(socksPort, bareUrl, path, blob.size, PARTS),
      ichain: async (path: string) =>
        reader.fetch(
          { endpoint, root: blob.root, path, maxBytes: blob.size, size: blob.size },
          { onProgress: () => {} },
        ),
    };
    const rates: Record<keyof typeof ways, number[]> = { onionshare: [], limit: [], ichain: [] };
    // A first round that is not counted fills the caches of descriptors, guards and disk for all three.
    for (let pair = -1; pair < Number(flags.pairs); pair++) {
      for (const [way, load] of Object.entries(ways) as [
        keyof typeof ways,
        (path: string) => Promise<unknown>,
      ][]) {
        const path = join(home, `${way}.${pair}`);
        const begin = performance.now();
        await load(path);
        const seconds = (performance.now() - begin) / 1000;
        if (way === "onionshare") assert.equal(await fileSize(path), blob.size);
        console.error(
          `${name} ${way}: ${round(seconds)} s, ${round(mib / seconds)} MiB/s, load ${round(loadavg()[0]!)}`,
        );
        if (pair >= 0) rates[way].push(blob.size / 1e6 / seconds);
      }
    }
    return summary(rates);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

function summary(rates: Readonly<Record<"onionshare" | "limit" | "ichain", readonly number[]>>) {
  const [ichain, onionshare, limit] = [median(rates.ichain), median(rates.onionshare), median(rates.limit)];
  return {
    ichain_MBps: round(ichain),
    onionshare_MBps: round(onionshare),
    limit_MBps: round(limit),
    ratio_onionshare: round(ichain / onionshare),
    ratio_limit: round(ichain / limit),
    runs: Object.fromEntries(Object.entries(rates).map(([way, all]) => [way, all.map(round)])),
    load: round(loadavg()[0]!),
  };
}

try {
  const [plainMs, delayedMs] = flags.delays.split(",").map(Number);
  const plain = await measure("first", plainMs ?? 0);
  const delayed =
    delayedMs === undefined ? undefined : { delay_ms: delayedMs, ...(await measure("second", delayedMs)) };
  console.log(JSON.stringify({ bench: "transfer", MiB: mib, ...plain, delayed, limits: LIMITS }));
  const fast =
    plain.ratio_onionshare >= LIMITS.ratio_onionshare &&
    plain.ratio_limit >= LIMITS.ratio_limit &&
    (delayed === undefined || delayed.ratio_onionshare >= LIMITS.delayed.ratio_onionshare);
  process.exitCode = fast ? 0 : 1;
} finally {
  await rm(dir, { recursive: true, force: true });
}
