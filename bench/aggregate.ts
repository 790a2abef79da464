// Aggregates 10 updates of 100 million parameters from files, behind the root filter: reads every update twice (inner
// products, then the mean), the model once, writes the next model, and hashes updates and model. One JSON object.
//
//   npm run -s bench:aggregate
//   npm run -s bench:aggregate -- --parameters 1000000 --updates 10 --dir /var/tmp
import { createHash } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { decide, makeNext } from "../src/protocol/federated/aggregate.ts";
import { CHUNK, chunksOf, sizeOfChunk, type UpdateSource } from "../src/protocol/federated/codec/chunk.ts";
import { encodeHeader, type UpdateHeader } from "../src/protocol/federated/codec/header.ts";
import { chunkRange, readChunk, updateBytes } from "../src/protocol/federated/codec/update.ts";
import { plainStep } from "../src/protocol/federated/server/step.ts";
import { strategyOf } from "../src/protocol/federated/strategies.ts";
import {
  chunkFromBytes,
  chunkToBytes,
  type VectorSink,
  type VectorSource,
} from "../src/protocol/federated/vector.ts";

const LIMITS = { seconds: 20, rss_MiB: 1024 };
/** Chunks that are read from a file at once. */
const WINDOW = 64;

const { values } = parseArgs({
  options: {
    parameters: { type: "string", default: "100000000" },
    updates: { type: "string", default: "10" },
    dir: { type: "string", default: tmpdir() },
  },
});
const length = Number(values.parameters);
const count = Number(values.updates);
const folder = mkdtempSync(join(values.dir, "ichain-bench-"));
const files: number[] = [];
try {
  const updates = Array.from({ length: count + 1 }, (_, who) =>
    makeUpdate(join(folder, `update-${who}`), who),
  );
  const model = makeModel(join(folder, "model"));
  const next = openSync(join(folder, "next"), "w");
  files.push(next);
  const hash = createHash("sha256");
  const [load, started, cpu] = [loadavg()[0]!, performance.now(), process.cpuUsage()];
  const digests = updates.map(({ fd }) => digestOf(fd));
  const hashed = performance.now();
  const decision = decide({
    strategy: strategyOf("root-cosine")!,
    settings: {},
    server: plainStep,
    entries: updates.slice(0, count).map(({ source }, i) => ({
      account: `0x${(i + 1).toString(16).padStart(40, "0")}`,
      rows: 100 + i,
      update: source,
    })),
    root: updates[count]!.source,
    memory: {},
  });
  const decided = performance.now();
  const sink: VectorSink = {
    store(_, from, size) {
      const bytes = chunkToBytes(from, size);
      hash.update(bytes);
      writeSync(next, bytes);
    },
  };
  const taken = decision.plan.groups.flat();
  makeNext(decision, taken, { model, states: [], next: sink, nextStates: [] });
  const ended = performance.now();
  const used = process.cpuUsage(cpu);
  const seconds = round((ended - started) / 1000);
  const rss_MiB = Math.round(process.resourceUsage().maxRSS / 1024);
  const result = {
    bench: "aggregate",
    parameters: length,
    updates: count,
    taken: taken.length,
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
    model: hash.digest("hex"),
    limits: LIMITS,
  };
  console.log(JSON.stringify(result));
  process.exitCode = length < 1e8 || (seconds <= LIMITS.seconds && rss_MiB <= LIMITS.rss_MiB) ? 0 : 1;
} finally {
  for (const fd of files) closeSync(fd);
  rmSync(folder, { recursive: true, force: true });
}

/** An update of pseudo-random codes that an encoder could have written: each block's first code is 127. */
function makeUpdate(path: string, who: number): { readonly fd: number; readonly source: UpdateSource } {
  const fd = openSync(path, "w+");
  files.push(fd);
  const header: UpdateHeader = { kind: "int8", keep: 1000, length, state: new Uint8Array(32) };
  writeSync(fd, encodeHeader(header));
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
    writeSync(fd, chunk, 0, blocks + size);
  }
  const window = windowOf(fd, (index) => chunkRange(header, index), updateBytes(header));
  return { fd, source: { length, load: (index, into) => readChunk(header, index, window(index), into) } };
}

function makeModel(path: string): VectorSource {
  const fd = openSync(path, "w+");
  files.push(fd);
  const chunk = new Float64Array(CHUNK);
  for (let index = 0; index < chunksOf(length); index++) {
    for (let i = 0; i < CHUNK; i++) chunk[i] = ((index * 31 + i * 7) % 4001) - 2000;
    writeSync(fd, chunkToBytes(chunk, sizeOfChunk(length, index)));
  }
  const range = (index: number): [number, number] => [
    index * CHUNK * 8,
    index * CHUNK * 8 + sizeOfChunk(length, index) * 8,
  ];
  const window = windowOf(fd, range, length * 8);
  return { length, load: (index, into) => chunkFromBytes(window(index), into) };
}

/** Reads a file many chunks at a time. */
function windowOf(fd: number, range: (index: number) => [from: number, to: number], end: number) {
  const [from, to] = range(0);
  const buffer = new Uint8Array((to - from) * WINDOW);
  let [start, filled] = [0, 0];
  return (index: number): Uint8Array => {
    const [first, last] = range(index);
    if (first < start || last > start + filled) {
      start = first;
      filled = readSync(fd, buffer, 0, Math.min(buffer.length, end - first), first);
    }
    return buffer.subarray(first - start, last - start);
  };
}

function digestOf(fd: number): string {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(1 << 20);
  for (let at = 0; ; ) {
    const read = readSync(fd, buffer, 0, buffer.length, at);
    if (read === 0) return hash.digest("hex");
    hash.update(buffer.subarray(0, read));
    at += read;
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
