import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import type { Limits } from "../../../src/ports/sandbox.ts";
import type { Sample } from "../../../src/sandbox/engines/engine.ts";
import { containerName } from "../../../src/sandbox/policy.ts";
import { MIB, sandboxSetup } from "../../sandbox/support.ts";
import { needs } from "../../support/require.ts";
import { needsTier } from "./require.ts";

needs("docker", "alone");

/** Computes, prints the CPU time that it got, and holds memory until the test ends it. */
const honest = `
import os, time, hashlib
held = bytearray(os.urandom(1 << 20) * 64)
mark = hashlib.sha256(held).digest()
while not os.path.exists("/in/done"):
    end = time.monotonic() + 0.25
    while time.monotonic() < end: pass
    print("got", time.process_time(), time.monotonic(), flush=True)
for place in ("/out", "/tmp"):
    with open(place + "/mine", "wb") as f: f.write(bytes(6 << 20))
print("intact" if hashlib.sha256(held).digest() == mark else "changed", flush=True)
`;

const SPINS = "spins in every process that it can create";
const KILLS = "sends SIGKILL to every process id";

const hogs: Readonly<Record<string, { program: string; limits?: Partial<Limits> }>> = {
  [SPINS]: {
    program: `
import os
print("up", flush=True)
for _ in range(40):
    try:
        if os.fork() == 0: break
    except OSError: break
while True: pass
`,
  },
  "forks without end": {
    program: `
import os, signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("up", flush=True)
while True:
    try:
        if os.fork() == 0: os._exit(0)
    except OSError: pass
`,
  },
  "allocates all its memory, again and again": {
    program: `
import os
print("up", flush=True)
while True:
    pid = os.fork()
    if pid == 0:
        hoard = []
        while True: hoard.append(bytearray(os.urandom(4096) * 256))
    os.waitpid(pid, 0)
`,
    limits: { memoryBytes: 128 * MIB },
  },
  "fills every folder that it can write to": {
    program: `
import os
print("up", flush=True)
while True:
    for place in ("/out", "/tmp", "/dev/shm"):
        try:
            with open(place + "/fill", "wb", buffering=0) as f:
                while True: f.write(bytes(1 << 20))
        except OSError: pass
`,
    limits: { memoryBytes: 384 * MIB },
  },
  [KILLS]: {
    program: `
import os
print("up", flush=True)
try: os.kill(-1, 9)
except OSError: pass
while True:
    for pid in range(2, 32768):
        if pid == os.getpid(): continue
        try: os.kill(pid, 9)
        except OSError: pass
`,
  },
};
/** Number of measurements while both tasks run. */
const WINDOWS = 12;
/** The neighbour may get a little more at the same quota, because the kernel enforces it by periods of 0.1 s. */
const LEAST = 0.75;

for (const [tier, kinds] of [
  ["runc", Object.keys(hogs)],
  ["gvisor", [SPINS, KILLS]],
] as const) {
  describe(`under ${tier}, a neighbour that`, () => {
    for (const what of kinds) {
      test(
        `${what} neither stops an honest task nor takes its share`,
        needsTier(tier),
        async (t: TestContext) => {
          const { sandbox, engine, instance, task } = await sandboxSetup(t, { leastTier: tier });
          const { program, limits } = hogs[what]!;
          const shared = { cpus: 0.5, memoryBytes: 320 * MIB };
          const good = await task(honest, { limits: shared });
          const bad = await task(program, { limits: { ...shared, ...limits } });
          const stop = new AbortController();
          const windows: Point[] = [];
          let unread = "";
          let taken: Promise<Point[]> | undefined;
          let rival: Promise<unknown> | undefined;
          const watch = () => {
            taken ??= follow(engine.samples(containerName(instance, bad.id), { signal: stop.signal }));
          };
          const onLog = (text: string) => {
            rival ??= sandbox.run(bad, { signal: stop.signal, onLog: watch }).catch(() => undefined);
            if (taken === undefined) return;
            // A line may arrive in parts: with unbuffered output each word is a write.
            const lines = (unread + text).split("\n");
            unread = lines.pop() ?? "";
            for (const line of lines) {
              const [, cpu, at] = /^got (\S+) (\S+)$/.exec(line) ?? [];
              if (at !== undefined) windows.push({ cpu: Number(cpu), at: Number(at) });
            }
            if (windows.length >= WINDOWS) void writeFile(join(good.inputDir, "done"), "");
          };
          const run = await sandbox.run(good, { onLog });
          stop.abort();
          await rival;
          assert.deepEqual([run.ended, run.exitCode], ["exit", 0], run.log.slice(-500));
          assert.match(run.log, /\nintact\n$/);
          // A ratio, so that other load on the machine cancels out.
          const ratio = rateOf(windows) / rateOf((await taken) ?? []);
          t.diagnostic(`CPU time of the task / of its neighbour: ${ratio.toFixed(2)}`);
          assert.ok(ratio >= LEAST, String(ratio));
        },
      );
    }
  });
}

/** CPU seconds used until `at`, seconds. */
interface Point {
  readonly cpu: number;
  readonly at: number;
}

async function follow(samples: AsyncIterable<Sample>): Promise<Point[]> {
  const points: Point[] = [];
  try {
    for await (const { cpuSeconds } of samples)
      points.push({ cpu: cpuSeconds, at: performance.now() / 1000 });
  } catch {
    // The container was removed.
  }
  return points.filter(({ cpu }) => cpu > 0);
}

/** CPU seconds a second. */
function rateOf(points: readonly Point[]): number {
  const [first, last] = [points[0], points.at(-1)];
  assert.ok(first && last && last.at > first.at, "there are at least two measurements");
  return (last.cpu - first.cpu) / (last.at - first.at);
}
