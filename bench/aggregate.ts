// Aggregates 10 updates of 100 million parameters from files, behind the root filter, in threads: reads every update
// twice (inner products, then the mean), the model once, writes the next model, and hashes updates and model. The digest
// of the model is the same whatever the threads. One JSON object.
//
//   npm run -s bench:aggregate
//   npm run -s bench:aggregate -- --parameters 1000000 --updates 10 --threads 1 --dir /var/tmp
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CHUNK, chunksOf, sizeOfChunk } from "../src/protocol/federated/codec/chunk.ts";
import { encodeHeader } from "../src/protocol/federated/codec/header.ts";
import { plainStep } from "../src/protocol/federated/server/step.ts";
import { strategyOf } from "../src/protocol/federated/strategies.ts";
import { chunkToBytes } from "../src/protocol/federated/vector.ts";
import { FileAggregation } from "../src/roles/federated/aggregation/aggregate-files.ts";

const LIMITS = { seconds: 20, rss_MiB: 1024 };
const { values } = parseArgs({
  options: {
    parameters: { type: "string", default: "100000000" },
    updates: { type: "string", default: "10" },
    threads: { type: "string", default: "2" },
    dir: { type: "string", default: tmpdir() },
  },
});
const length = Number(values.parameters);
const count = Number(values.updates);
const folder = mkdtempSync(join(values.dir, "ichain-bench-"));
try {
  const updates = Array.from({ length: count + 1 }, (_, who) => makeUpdate(`update-${who}`, who));
  const files = {
    length,
    layout: [],
    members: updates.slice(0, count).map((path, i) => ({
      account: `0x${(i + 1).toString(16).padStart(40, "0")}` as const,
      rows: 100 + i,
      path,
    })),
    root: updates[count]!,
    model: makeModel(),
    states: [],
    next: join(folder, "next"),
    nextStates: [],
  };
  const rules = { strategy: strategyOf("root-cosine")!, settings: {}, server: plainStep, memory: {} };
  const [load, started, cpu] = [loadavg()[0]!, performance.now(), process.cpuUsage()];
  await using aggregation = new FileAggregation(Number(values.threads));
  const digests = await aggregation.digestsOf(updates);
  const hashed = performance.now();
  const decision = await aggregation.decide(rules, files);
  const decided = performance.now();
  const taken = decision.plan.groups.flat();
  const model = await aggregation.makeNext(decision, taken, files);
  const ended = performance.now();
  const used = process.cpuUsage(cpu);
  const seconds = round((ended - started) / 1000);
  const rss_MiB = Math.round(process.resourceUsage().maxRSS / 1024);
  const result = {
    bench: "aggregate",
    parameters: length,
    updates: count,
    taken: taken.length,
    threads: Number(values.threads),
    cores: cpus().length,
    load: round(load),
    seconds,
    cpuSeconds: round((used.user + used.system) / 1e6),
    parts: {
      hash: round((hashed - started) / 1000),
      products: round((decided - hashed) / 1000),
      mean: round((ended - decided) / 1000),
    },
    rss_MiB,
    firstUpdate: digests[0],
    model,
    limits: LIMITS,
  };
  console.log(JSON.stringify(result));
  process.exitCode = length < 1e8 || (seconds <= LIMITS.seconds && rss_MiB <= LIMITS.rss_MiB) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** An update of pseudo-random codes that an encoder could have written: each block's first code is 127. */
function makeUpdate(name: string, who: number): string {
  const path = join(folder, name);
  const file = openSync(path, "w");
  writeSync(file, encodeHeader({ kind: "int8", keep: 1000, length, state: new Uint8Array(32) }));
  const chunk = new Uint8Array(CHUNK + CHUNK / 256);
  let state = 2 * who + 1;
  for (let index = 0; index < chunksOf(length); index++) {
    const size = sizeOfChunk(length, index);
    const blocks = Math.ceil(size / 256);
    for (let i = 0; i < size; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      chunk[blocks + i] = i % 256 === 0 ? 127 : (((state >>> 16) % 255) - 127 + 16) & 127;
    }
    for (let block = 0; block < blocks; block++) chunk[block] = 4 + ((index + block + who) % 4);
    writeSync(file, chunk, 0, blocks + size);
  }
  closeSync(file);
  return path;
}

function makeModel(): string {
  const path = join(folder, "model");
  const file = openSync(path, "w");
  const chunk = new Float64Array(CHUNK);
  for (let index = 0; index < chunksOf(length); index++) {
    for (let i = 0; i < CHUNK; i++) chunk[i] = ((index * 31 + i * 7) % 4001) - 2000;
    writeSync(file, chunkToBytes(chunk, sizeOfChunk(length, index)));
  }
  closeSync(file);
  return path;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
