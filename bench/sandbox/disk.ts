import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { round, type SandboxSetup } from "./setup.ts";

const GIB = 2 ** 30;
const TIMES = 5;

/**
 * MB/s of 1 GiB: read from /in inside a task; written to /out inside a task; and from the task's first write to the end
 * of the run with the outputs in place. Each against `cp` of the same file on the same disk, and the fastest of each:
 * other load, or memory that a virtual machine gets from its host on first use, makes some runs several times slower.
 */
export async function measureDisk(setup: SandboxSetup) {
  const data = join(setup.folder, "in", "data");
  execFileSync("dd", ["if=/dev/urandom", `of=${data}`, "bs=1M", "count=1024"], { stdio: "ignore" });
  const [cp, into, write]: [number[], number[], number[]] = [[], [], []];
  const [whole, empty]: [number[], number[]] = [[], []];
  for (let i = 0; i < TIMES; i++) {
    settle();
    cp.push(seconds(() => execFileSync("cp", [data, `${setup.folder}/copy`])));
    rmSync(`${setup.folder}/copy`);
    const limits = { memoryBytes: 6 * GIB, diskBytes: 4 * GIB };
    into.push(Number((await setup.run(setup.task(["python3", "-c", reader], limits))).run.log));
    settle();
    const { run, seconds: all } = await setup.run(setup.task(["python3", "-c", writer], limits));
    write.push(Number(run.log));
    whole.push(all);
    empty.push((await setup.run(setup.task(["python3", "-c", nothing], limits))).seconds);
  }
  const speed = (seconds: number) => round(GIB / 1e6 / seconds, 0);
  const [cp_MBps, in_MBps, write_MBps] = [speed(best(cp)), speed(best(into)), speed(best(write))];
  const out_MBps = speed(best(whole) - best(empty));
  return {
    GiB: 1,
    times: TIMES,
    cp_MBps,
    in_MBps,
    write_MBps,
    out_MBps,
    in_ratio: round(in_MBps / cp_MBps),
    write_ratio: round(write_MBps / cp_MBps),
    out_ratio: round(out_MBps / cp_MBps),
  };
}

const reader = `
import time
t = time.perf_counter()
with open("/in/data", "rb", buffering=0) as f:
    b = bytearray(1 << 20)
    while f.readinto(b): pass
print(time.perf_counter() - t)
`;
const writer = `
import time
t = time.perf_counter()
with open("/out/data", "wb", buffering=0) as f:
    b = bytes(1 << 20)
    for _ in range(1024): f.write(b)
print(time.perf_counter() - t)
`;
const nothing = `print("x")`;

/**
 * Gives every measurement the same start. Earlier writes are flushed, because the kernel slows down writers while many
 * are pending; and the memory is touched once, because a virtual machine may get it from its host on first use only,
 * which takes several times as long as the measured step.
 */
function settle(): void {
  execFileSync("sync");
  execFileSync(process.execPath, ["-e", `Buffer.alloc(${3 * GIB}, 1)`]);
}

function best(times: readonly number[]): number {
  return Math.min(...times);
}

function seconds(act: () => void): number {
  const begin = performance.now();
  act();
  return (performance.now() - begin) / 1000;
}
