/**
 * Hosts again and again on a private Tor network, each time with new tor processes on both sides, and
 * prints one JSON object: how often it got stuck, and the milliseconds from `host()` to a reader's first
 * verified piece. Exit code 1 if it ever got stuck. Usage: node scripts/soak-hosting.ts [starts]
 */
import { performance } from "node:perf_hooks";
import { PIECE_BYTES } from "../src/protocol/limits.ts";
import { TorFixture } from "../test/support/onion/tor.ts";
import { makeBlob } from "../test/support/parcel/blob.ts";

/** A start that takes longer counts as stuck: a person would have given up on it. */
const STUCK_MS = 120_000;
const starts = Number(process.argv[2] ?? 50);

interface Figures {
  readonly started: number;
  readonly hosted: number;
  readonly firstPiece: number;
}

const fixture = new TorFixture();
const networkSince = performance.now();
await fixture.up();
const network = Math.round(performance.now() - networkSince);
const blob = await makeBlob(fixture.dir, PIECE_BYTES);
const figures: Figures[] = [];
const failures: string[] = [];
try {
  for (let n = 0; n < starts; n++) {
    const signal = AbortSignal.timeout(STUCK_MS);
    const stop: (() => Promise<void>)[] = [];
    try {
      figures.push(await once(n, signal, stop));
    } catch (error) {
      failures.push(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    } finally {
      await Promise.all(stop.map((end) => end()));
    }
    console.error(`${n + 1}/${starts}`, figures.at(-1), failures.length);
  }
} finally {
  await fixture.close();
}
const summary = (pick: (figure: Figures) => number) => {
  const sorted = figures.map(pick).sort((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)], worst: sorted.at(-1) };
};
console.log(
  JSON.stringify({
    soak: "hosting",
    starts,
    stuck: failures.length,
    failures,
    ms: {
      network,
      torsStarted: summary((figure) => figure.started),
      hosted: summary((figure) => figure.hosted),
      hostToFirstPiece: summary((figure) => figure.firstPiece),
    },
  }),
);
process.exitCode = failures.length > 0 ? 1 : 0;

async function once(n: number, signal: AbortSignal, stop: (() => Promise<void>)[]): Promise<Figures> {
  const began = performance.now();
  const enter = async (role: string, spareHosts: number) => {
    const party = await fixture.party(`${role}-${n}`, { spareHosts, signal });
    stop.push(() => party.transport.stop());
    return party;
  };
  const [host, guest] = await Promise.all([enter("host", 1), enter("guest", 0)]);
  const started = performance.now();
  const identity = await host.transport.newIdentity();
  const request = { identity, blobs: [blob], readers: [guest.reader] };
  const { endpoint } = await host.transport.host(request, { signal });
  const hosted = performance.now();
  // The blob is one piece: fetched means verified.
  const path = `${fixture.dir}/fetched-${n}`;
  await guest.transport.fetch({ endpoint, root: blob.root, path, maxBytes: blob.size }, { signal });
  return {
    started: Math.round(started - began),
    hosted: Math.round(hosted - started),
    firstPiece: Math.round(performance.now() - started),
  };
}
