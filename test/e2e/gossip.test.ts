import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { startGossipNetwork } from "../../src/devnet/gossip-network.ts";
import { asOwnerOf } from "../../src/devnet/homes.ts";
import { everyRow, loadRows, rowsFile } from "../../src/roles/federated/market/requester/round/rows.ts";
import { ichainRun } from "../support/binary.ts";
import { lifo } from "../support/lifo.ts";
import { needs } from "../support/require.ts";

const example = (path: string) => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));

it("gossip peers find each other, make blocks that an observer confirms, and go on after a kill", {
  ...needs("root", "docker"),
  timeout: 240_000,
}, async (t) => {
  const { after } = lifo(t);
  const dir = await mkdtemp(join(tmpdir(), "ichain-gossip-"));
  after(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, "rows"));
  const rows = await loadRows(example("federated-digits"), { file: "train.npz", rows: "x", labels: "y" });
  await writeFile(join(dir, "rows", "rows.safetensors"), rowsFile(rows, everyRow(rows)));
  const given = parse(await readFile(example("gossip-digits/gossip.yaml"), "utf8")) as object;
  const { signal } = t;
  const network = await startGossipNetwork({
    ...{ dir, peers: 3, transport: "direct", reporter: { emit() {} }, signal },
    file: (at) => ({
      ...given,
      model: example("federated-digits/start.safetensors"),
      inputs: [example("gossip-digits/task.py")],
      test: { file: example("federated-digits/test.npz") },
      ...{ data: join(dir, "rows"), observer: at === 2, interval: [2, 3], gather: 0 },
      // Peers that pack their models and peers that do not read each other's.
      ...(at === 1 && { compressed: "int8" }),
      gossip: { buffer: 2, expire: 6, transactions: 1, patience: 1, resend: 2 },
    }),
  });
  after(() => network.stop());
  const [introducer, other, observer] = network.peers as [
    (typeof network.peers)[0],
    (typeof network.peers)[0],
    (typeof network.peers)[0],
  ];
  const ichain = async (peer: typeof other, ...args: string[]) => {
    const { stdout } = await ichainRun([...args, "--json"], asOwnerOf(peer.home));
    return JSON.parse(stdout.trim().split("\n").at(-1)!);
  };
  const blockOf = (peer: typeof other, least: number) =>
    peer.line((line) => line.event === "block" && Number(line.height) >= least, { signal });
  await Promise.all([blockOf(introducer, 1), blockOf(other, 1)]);

  const taken = await ichain(other, "gossip", "run", join(other.folder, "gossip.yaml"));
  assert.equal(taken.error.code, "HOME_BUSY");
  await other.kill();
  const before = await ichain(other, "gossip", "verify", other.store);
  await other.start({ signal });
  await blockOf(other, before.blocks + 1);

  const { daemons } = await ichain(other, "status");
  assert.deepEqual([daemons[0].kind, daemons[0].state], ["peer", "working"]);
  const neighbours = daemons[0].health.find(({ name }: { name: string }) => name === "neighbours");
  assert.match(neighbours.found, /of 2 answer/);
  assert.equal((await ichain(other, "stop")).daemons[0].state, "ended");
  const ended = await other.line(({ event }) => event === "ended", { signal });
  assert.ok(Number(ended.accuracy) > 0.5, `${ended.accuracy}`);

  const { chains } = await ichain(observer, "gossip", "show", introducer.store, other.store, observer.store);
  assert.ok(chains[1].blocks.length > before.blocks);
  assert.equal(chains[2].blocks.length, 0);
  for (const { witnesses } of chains.slice(0, 2)) {
    const accounts = witnesses.map(({ account }: { account: string }) => account);
    assert.ok(accounts.includes(observer.account.toLowerCase()), "the observer confirmed");
  }
});
