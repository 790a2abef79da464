import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startTorNetwork } from "../../src/devnet/tor/network.ts";
import { ManagedTor } from "../../src/transfer/onion/tor/tor.ts";
import { temporaryFolder } from "../support/parcel/blob.ts";
import { needs } from "../support/require.ts";

test(
  "two private Tor networks run side by side, take clients, and leave no process behind",
  needs("tor", "alone"),
  async (t) => {
    const dir = await temporaryFolder(t);
    const abort = new AbortController();
    const size = { authorities: 3, relays: 1, signal: abort.signal };
    const start = async (name: string) => {
      const network = await startTorNetwork({ dir: join(dir, name), ...size });
      t.after(() => network.stop());
      return network;
    };
    const networks = await Promise.all(["one", "two"].map(start));
    // The signal is the start's alone: a network that is up stays up.
    abort.abort();
    assert.notEqual(networks[0]?.networkTorrc, networks[1]?.networkTorrc);
    for (const [i, { networkTorrc }] of networks.entries()) {
      const torrc = [...networkTorrc.split("\n"), "SocksPort 0"];
      const dataDir = join(dir, `client${i}`);
      const client = await ManagedTor.start({ binary: "tor", dataDir, role: "client", torrc });
      await client.stop();
    }
    assert.equal(await torsIn(dir), 8);
    await networks[0]?.loseRelay(0);
    assert.equal(await torsIn(dir), 7);
    await Promise.all(networks.map((network) => network.stop()));
    assert.equal(await torsIn(dir), 0);
  },
);

test("a start that is aborted leaves no process behind", needs("tor"), async (t) => {
  const dir = await temporaryFolder(t);
  const abort = new AbortController();
  const starting = startTorNetwork({ dir, signal: abort.signal });
  // Authorities have their keys first: the nodes are under way when a torrc lies there.
  while ((await readFile(join(dir, "auth0", "torrc"), "utf8").catch(() => "")) === "")
    await new Promise(setImmediate);
  abort.abort();
  await assert.rejects(starting, { name: "AbortError" });
  assert.equal(await torsIn(dir), 0);
});

/** Living tor processes whose configuration lies in `dir`. */
async function torsIn(dir: string): Promise<number> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return lines.filter((line) => line.startsWith("tor\0") && line.includes(dir)).length;
}
