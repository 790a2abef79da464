import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Box, median, round } from "./box.ts";

const GIB = 2 ** 30;
const TIMES = 3;

/**
 * MB/s of 1 GiB: read from /in inside a task; written to /out inside a task; and from the task's first
 * write to the collected file in its place. Each against `cp` of the same file on the same disk.
 */
export async function measureDisk(box: Box) {
  const data = join(box.folder, "in", "data");
  execFileSync("dd", ["if=/dev/urandom", `of=${data}`, "bs=1M", "count=1024"], { stdio: "ignore" });
  const [cp, into, write, whole]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let i = 0; i < TIMES; i++) {
    settle();
    cp.push(seconds(() => execFileSync("cp", [data, `${box.folder}/copy`])));
    rmSync(`${box.folder}/copy`);
    const limits = { memoryBytes: 6 * GIB, diskBytes: GIB + 2 ** 20 };
    into.push(Number((await box.run(box.task(["python3", "-c", reader], limits))).run.log));
    settle();
    const task = box.task(["python3", "-c", writer], limits);
    const { run, seconds: all } = await box.run(task);
    const empty = (await box.run(box.task(["python3", "-c", nothing], limits))).seconds;
    write.push(Number(run.log));
    whole.push(all - empty);
    rmSync(task.outputDir!, { recursive: true });
  }
  const speed = (times: readonly number[]) => round(GIB / 1e6 / median(times), 0);
  const [cp_MBps, in_MBps, write_MBps, out_MBps] = [speed(cp), speed(into), speed(write), speed(whole)];
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

/** What was written before is on the disk: the kernel slows down who writes while much is waiting. */
function settle(): void {
  execFileSync("sync");
}

function seconds(act: () => void): number {
  const begin = performance.now();
  act();
  return (performance.now() - begin) / 1000;
}
