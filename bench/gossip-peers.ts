// Four peers of a gossip network in processes of their own train on quarters of the 10,000 MNIST digits, until each has
// as many blocks of 12 transactions as wanted; prints the paper's table beside, and one JSON object as the last line.
//
//   npm run -s bench:gossip -- --data mnist10k.npz             over onions of a private Tor network
//   npm run -s bench:gossip -- --data mnist10k.npz --direct    on loopback
//   npm run -s bench:gossip -- --data mnist10k.npz --kill 600  kills peers by chance for ten minutes, then verifies
//   npm run -s bench:gossip -- --data mnist10k.npz --observer  and a fifth process that follows without training
//   npm run -s bench:gossip -- --data mnist10k.npz --compressed int8  models travel packed
//   npm run -s bench:gossip -- --data mnist10k.npz --most 600  what there is after so many seconds
//
// Without the file it says so and ends with 0. Build first: the peers run the program that was built.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openChain } from "../src/commands/gossip/open-chain.ts";
import { type PlayedPeer, startGossipNetwork } from "../src/devnet/gossip-network.ts";
import { writeModel } from "../src/protocol/federated/model-file.ts";
import { Vector } from "../src/protocol/federated/vector.ts";
import { dealEvenly } from "../src/roles/federated/data/partition.ts";
import { Random } from "../src/roles/federated/data/random.ts";
import { everyRow, loadRows, rowsFile } from "../src/roles/federated/market/requester/round/rows.ts";

const PEERS = 4;
const [FEATURES, HIDDEN, CLASSES] = [784, 64, 10];

const { values } = parseArgs({
  options: {
    data: { type: "string", default: "mnist10k.npz" },
    direct: { type: "boolean", default: false },
    observer: { type: "boolean", default: false },
    blocks: { type: "string", default: "9" },
    most: { type: "string", default: "3600" },
    interval: { type: "string", default: "8,12" },
    expire: { type: "string", default: "60" },
    transactions: { type: "string", default: "12" },
    compressed: { type: "string" },
    kill: { type: "string" },
    seed: { type: "string", default: "1" },
  },
});
if (!existsSync(values.data)) {
  console.error(`skipped: no file ${values.data}; give one with --data`);
  process.exit(0);
}

await using stack = new AsyncDisposableStack();
const ending = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => ending.abort());
const { signal } = ending;
const dir = await mkdtemp(join(tmpdir(), "ichain-bench-gossip-"));
stack.defer(() => rm(dir, { recursive: true, force: true }));
await writeFile(join(dir, "start.safetensors"), startModel());
const task = await readFile(
  fileURLToPath(new URL("../examples/gossip-digits/task.py", import.meta.url)),
  "utf8",
);
await writeFile(
  join(dir, "task.py"),
  task.replace("/ 16,", "/ 255,").replaceAll('["x"]', '["Xte"]').replaceAll('["y"]', '["yte"]'),
);
const [data, random] = [resolve(values.data), new Random(`bench ${values.seed}`)];
const rows = await loadRows(dirname(data), { file: basename(data), rows: "Xtr", labels: "ytr" });
const named = { ...rows, names: { rows: "Xte", labels: "yte" } };
for (const [at, part] of dealEvenly(everyRow(rows), PEERS, random).entries()) {
  await mkdir(join(dir, `rows-${at}`));
  await writeFile(join(dir, `rows-${at}`, "rows.safetensors"), rowsFile(named, part));
}
const numbers = (text: string) => text.split(",").map(Number);
const [expire, wanted] = [Number(values.expire), Number(values.blocks)];
const begun = performance.now();
const network = await startGossipNetwork({
  ...{ dir, peers: PEERS + (values.observer ? 1 : 0), transport: values.direct ? "direct" : "onion", signal },
  reporter: { emit: ({ text }) => console.error(text) },
  file: (at) => ({
    ...{ version: 1, name: "mnist", model: join(dir, "start.safetensors"), image: "python-ml" },
    ...{ command: ["python3", "task.py"], inputs: [join(dir, "task.py")] },
    resources: { cpus: 1, memory: "512 MiB", disk: "64 MiB", time: "2m" },
    local: { epochs: 1, batch: 16, lr: 0.05, schedule: "constant" },
    ...(at < PEERS ? { data: join(dir, `rows-${at}`) } : { observer: true }),
    test: { file: data, rows: "Xte", labels: "yte" },
    ...(values.compressed !== undefined && { compressed: values.compressed }),
    interval: numbers(values.interval),
    gossip: { buffer: 3, expire, transactions: Number(values.transactions), patience: 10, resend: 30 },
  }),
});
stack.defer(() => network.stop());
const ready = performance.now();
const trainers = network.peers.slice(0, PEERS);
const kills = values.kill === undefined ? undefined : await killByChance(Number(values.kill) * 1000);
if (kills === undefined) {
  const late = AbortSignal.timeout(Number(values.most) * 1000);
  const waiting = { signal: AbortSignal.any([signal, late]) };
  const counted = trainers.map(async ({ name, line }) => {
    for (let height = 1; height <= wanted; height++) {
      const one = await line(({ event, height: found }) => event === "block" && found === height, waiting);
      console.error(`${name}: block ${height}, ${one.confirmations} of ${one.receipts} confirmed`);
    }
  });
  await Promise.all(counted).catch((error: unknown) => {
    if (signal.aborted || !late.aborted) throw error;
  });
}
const seconds = (performance.now() - ready) / 1000;
await Promise.all(network.peers.map((peer) => peer.stop()));
const found = await Promise.all(network.peers.map(examine));
const blocks = found.slice(0, PEERS).flatMap((peer) => peer.blocks);
const mean = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0) / Math.max(1, list.length);
const cpu = (of: (peer: (typeof found)[number]) => number) => found.reduce((sum, peer) => sum + of(peer), 0);
const [process_, tasks] = [cpu(({ ended }) => ended.cpu.process), cpu(({ ended }) => ended.cpu.tasks)];
const records = cpu(({ ended }) => ended.cpu.records);
const report = {
  ...{
    transport: values.direct ? "direct" : "onion",
    compressed: values.compressed,
    peers: PEERS,
    observer: values.observer,
    kills,
  },
  blocks: found.map((peer) => peer.blocks.length),
  transactions: mean(blocks.map((one) => one.transactions)),
  receipts: mean(blocks.map((one) => one.receipts)),
  confirmations: mean(blocks.map((one) => one.confirmations)),
  leastConfirmations: Math.min(...blocks.map((one) => one.confirmations)),
  // A process that was only just started has measured nothing.
  accuracy: mean(found.flatMap(({ ended }) => ended.accuracy ?? [])),
  cpuSeconds: { records, process: process_, tasks },
  chainShare: records / (process_ + tasks),
  refused: cpu(({ ended }) => ended.refused),
  seconds: { start: (ready - begun) / 1000, run: seconds },
};
console.log(
  [
    "                                 paper          here",
    `blocks a peer, of transactions   9 to 10, 12    ${report.blocks.join(", ")}, ${report.transactions.toFixed(1)}`,
    `confirmations of 36 a block      35.11, 35.67   ${report.confirmations.toFixed(2)} of ${report.receipts.toFixed(2)}`,
    `chain's share of processor time  1.3-1.5 %      ${(100 * report.chainShare).toFixed(2)} %`,
    `accuracy                         .96 (LeNet)    ${report.accuracy.toFixed(3)}`,
  ].join("\n"),
);
console.log(JSON.stringify(report));

interface Ended {
  readonly cpu: { readonly records: number; readonly process: number; readonly tasks: number };
  readonly accuracy?: number;
  readonly refused: number;
}

/** A peer's chain, verified, and what its last process said at its end. */
async function examine({ store, line }: PlayedPeer) {
  const { blocks: final } = await openChain(store);
  const ended = (await line(({ event }) => event === "ended", { signal })) as unknown as Ended;
  const counted = final.map(({ block, confirmations }) => ({
    transactions: block.transactions.length,
    receipts: block.transactions.reduce((sum, one) => sum + one.receipts.length, 0),
    confirmations: confirmations.length,
  }));
  return { ended, blocks: counted };
}

/** Kills one peer after another with SIGKILL, each 5 to 25 s after the last, and starts it again at once. */
async function killByChance(ms: number): Promise<number> {
  let count = 0;
  for (const until = performance.now() + ms; performance.now() < until; count++) {
    await delay(5_000 + random.below(20_000), undefined, { signal });
    const peer = trainers[random.below(PEERS)]!;
    await peer.kill();
    // What is on disk at any time holds.
    const { blocks: final } = await openChain(peer.store);
    console.error(`${peer.name} is killed with ${final.length} blocks, all of which hold`);
    await peer.start({ signal });
  }
  return count;
}

/** He et al. 2015, in the order of `Model`'s tensors: names ascending. */
function startModel(): Uint8Array {
  const layout = [
    { name: "hidden.bias", shape: [HIDDEN] },
    { name: "hidden.weight", shape: [FEATURES, HIDDEN] },
    { name: "output.bias", shape: [CLASSES] },
    { name: "output.weight", shape: [HIDDEN, CLASSES] },
  ];
  const chance = new Random("bench start");
  const drawn = layout.flatMap(({ shape: [rowsOf, columns] }) =>
    Array.from({ length: rowsOf! * (columns ?? 1) }, () =>
      columns === undefined ? 0 : chance.normal() * Math.sqrt(2 / rowsOf!),
    ),
  );
  return writeModel({ layout, vector: Vector.fromNumbers(drawn) });
}
