import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, globSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Home } from "../../src/devnet/homes.ts";

const READS = "read,pread64,readv,preadv,preadv2,recvfrom,recvmsg,recvmmsg";
/** More than one call reads. */
const WHOLE = String(1 << 24);

/** What an actor's process has read from outside itself. */
export interface Reads {
  readonly bytes: number;
  /** Whether these bytes came, in a row, through one file descriptor. */
  include(bytes: Buffer): boolean;
}

/** Records every read of an actor's process, from sockets, pipes and files, until the returned function is called. */
export async function traceReads(home: Home, file: string): Promise<() => Promise<Reads>> {
  const what = ["-f", "-xx", "-s", WHOLE, "-e", `trace=${READS}`, "-e", "signal=none"];
  const tracer = spawn("strace", [...what, "-o", file, "-p", String(pidOf(home))], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [said] = (await once(createInterface({ input: tracer.stderr }), "line")) as [string];
  assert.match(said, / attached/);
  return async () => {
    tracer.kill("SIGINT");
    await once(tracer, "close");
    return readsIn(file);
  };
}

/** The process that runs in this home. */
function pidOf({ dir }: Home): number {
  for (const path of globSync("/proc/[0-9]*/environ")) {
    const command = textOf(path.replace("environ", "cmdline"));
    const own = textOf(path).split("\0").includes(`ICHAIN_HOME=${dir}`);
    if (own && /actor\.[jt]s\0/.test(command)) return Number(path.split("/")[2]);
  }
  return assert.fail(`no process runs in ${dir}`);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it has ended
  }
}

async function readsIn(file: string): Promise<Reads> {
  const streams = new Map<string, Buffer[]>();
  /** The descriptor that a thread waits for, where another's call came between. */
  const waiting = new Map<string, string>();
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const [, thread = "", begun, resumed] = /^(\d+)\s+(?:\w+\((\d+)|(<\.\.\. \w+ resumed>))/.exec(line) ?? [];
    const descriptor = resumed === undefined ? begun : waiting.get(thread);
    if (descriptor === undefined) continue;
    if (line.endsWith("<unfinished ...>")) waiting.set(thread, descriptor);
    const parts = [...line.matchAll(/"((?:\\x[0-9a-f]{2})+)"/g)];
    const read = parts.map(([, hex]) => Buffer.from(hex!.replaceAll("\\x", ""), "hex"));
    const stream = streams.get(descriptor);
    if (stream) stream.push(...read);
    else streams.set(descriptor, read);
  }
  const whole = [...streams.values()].map((parts) => Buffer.concat(parts));
  return {
    bytes: whole.reduce((sum, { length }) => sum + length, 0),
    include: (bytes) => whole.some((stream) => stream.includes(bytes)),
  };
}
