import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { startGossipNetwork } from "../../devnet/gossip-network.ts";
import { seconds } from "../../devnet/timeline.ts";
import { dealEvenly } from "../../roles/federated/data/partition.ts";
import { Random } from "../../roles/federated/data/random.ts";
import { everyRow, loadRows, rowsFile } from "../../roles/federated/market/requester/round/rows.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { openChain, storedLines } from "../gossip/open-chain.ts";

const PEERS = 4;
const BLOCKS = 2;
/** Files that each peer's rows come in: the first two at once, the others while it runs. */
const FILES = 6;
const FILE_MS = 6_000;
const example = (path: string) => fileURLToPath(new URL(`../../../examples/${path}`, import.meta.url));

/** So that a block takes seconds: what a peer waits for is shorter than usual. */
const HASTY = {
  interval: [3, 5],
  gather: 1,
  fresh: false,
  gossip: { buffer: 3, expire: 10, transactions: 3, patience: 2, resend: 5 },
};

interface Finished {
  readonly peer: number;
  readonly account: string;
  readonly blocks: number;
  readonly transactions: number;
  readonly receipts: number;
  readonly confirmations: number;
  readonly accuracy: number;
  readonly chain: string;
}

/** Four peers of a gossip network, each in a process of its own with rows that keep coming, until each has two blocks. */
export async function demoGossip(
  { ui, signal }: CommandContext,
  { out, direct }: { readonly out?: string; readonly direct?: true },
): Promise<void> {
  const begun = performance.now();
  const folder = resolve(out ?? `ichain-demo-${Date.now()}`);
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), "ichain-gossip-"));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const shards = await shardsOf(example("federated-digits"));
  const given = parse(await readFile(example("gossip-digits/gossip.yaml"), "utf8")) as { peers?: unknown };
  for (let at = 0; at < PEERS; at++) await addFiles(dir, at, shards, [0, 1]);
  const network = await startGossipNetwork({
    ...{ dir, peers: PEERS, transport: direct ? "direct" : "onion", reporter: ui.reporter, signal },
    file: (at) => ({
      ...{ ...given, ...HASTY },
      model: example("federated-digits/start.safetensors"),
      inputs: [example("gossip-digits/task.py")],
      data: dataOf(dir, at),
      test: { file: example("federated-digits/test.npz") },
    }),
  });
  stack.defer(() => network.stop());
  const ready = performance.now();
  let next = 2;
  const stream = setInterval(() => {
    if (next >= FILES) return clearInterval(stream);
    const file = next++;
    for (let at = 0; at < PEERS; at++) void addFiles(dir, at, shards, [file]);
  }, FILE_MS);
  stack.defer(() => clearInterval(stream));
  const measured = await Promise.all(
    network.peers.map(async ({ name, line }) => {
      for (let height = 1; height <= BLOCKS; height++) {
        const block = await line((one) => one.event === "block" && one.height === height, { signal });
        const text = `${name} has block ${height}: ${block.confirmations} of ${block.receipts} receipts confirmed`;
        ui.reporter.emit({ kind: "info", text });
      }
    }),
  );
  const finished = performance.now();
  await Promise.all(network.peers.map((peer) => peer.stop()));
  await mkdir(folder, { recursive: true });
  const peers: Finished[] = [];
  for (let at = 0; at < measured.length; at++) {
    const { account, store, line } = network.peers[at]!;
    const chain = join(folder, `peer-${at}.chain`);
    await writeFile(chain, `${(await storedLines(store)).join("\n")}\n`);
    const { blocks } = await openChain(chain);
    const transactions = blocks.flatMap(({ block }) => block.transactions);
    const { accuracy } = await line((one) => one.event === "ended", { signal });
    peers.push({
      ...{ peer: at, account, blocks: blocks.length, transactions: transactions.length },
      receipts: transactions.reduce((sum, { receipts }) => sum + receipts.length, 0),
      confirmations: blocks.reduce((sum, { confirmations }) => sum + confirmations.length, 0),
      ...{ accuracy: Number(accuracy ?? 0), chain },
    });
  }
  const data = {
    peers,
    folder,
    seconds: {
      total: seconds(performance.now() - begun),
      network: seconds(ready - begun),
      blocks: seconds(finished - ready),
    },
  };
  ui.print(data, () =>
    [
      ui.table(
        ["PEER", "BLOCKS", "TRANSACTIONS", "CONFIRMED", "ACCURACY"],
        peers.map((one) => [
          one.account,
          String(one.blocks),
          String(one.transactions),
          `${one.confirmations} of ${one.receipts}`,
          one.accuracy.toFixed(3),
        ]),
      ),
      `All four chains hold. They lie in ${folder}: \`ichain gossip show ${folder}/*.chain\` shows who confirmed whom.`,
    ].join("\n"),
  );
}

const dataOf = (dir: string, at: number) => join(dir, `rows-${at}`);

/** Each peer's rows, in files. */
async function shardsOf(folder: string): Promise<readonly (readonly Uint8Array[])[]> {
  const rows = await loadRows(folder, { file: "train.npz", rows: "x", labels: "y" });
  const parts = dealEvenly(everyRow(rows), PEERS * FILES, new Random("gossip demo"));
  return Array.from({ length: PEERS }, (_, at) =>
    parts.slice(at * FILES, (at + 1) * FILES).map((part) => rowsFile(rows, part)),
  );
}

/** A file appears whole: its peer may read the folder at any time. */
async function addFiles(
  dir: string,
  at: number,
  shards: readonly (readonly Uint8Array[])[],
  which: readonly number[],
): Promise<void> {
  const folder = dataOf(dir, at);
  await mkdir(folder, { recursive: true });
  for (const file of which) {
    const path = join(folder, `${file}.safetensors`);
    await writeFile(`${path}.new`, shards[at]![file]!);
    await rename(`${path}.new`, path);
  }
}
