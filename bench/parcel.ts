// Packs and opens a parcel of incompressible data, each in a process of its own, and measures raw AES-256-GCM and `age`
// for comparison; one JSON object on stdout. MB are 10^6 bytes, MiB are 2^20.
//
//   npm run -s bench:parcel                      1 GiB and 4 GiB, medians of three
//   npm run -s bench:parcel -- --sizes 256       only that many MiB
//   npm run -s bench:parcel -- --dir /var/tmp    in that folder instead of in memory (/dev/shm)
import { spawnSync } from "node:child_process";
import { createCipheriv, randomFillSync } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { open } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const MiB = 1 << 20;
const CHILD = fileURLToPath(new URL("./parcel-child.ts", import.meta.url));
const LIMITS = { pack_MBps: 300, open_MBps: 350, rss_MiB: 250 };

interface Measured {
  readonly seconds: number;
  /** Seconds of processor time of all threads: it does not depend on other load of the machine. */
  readonly cpu: number;
  readonly rss_MiB: number;
}

type Three = [string, string, string];

const { values } = parseArgs({
  options: { sizes: { type: "string", default: "1024,4096" }, dir: { type: "string" } },
});
const sizes = values.sizes.split(",").map(Number);
const folder = mkdtempSync(join(values.dir ?? place(Math.max(...sizes)), "ichain-bench-"));
try {
  const load = loadavg()[0]!;
  const runs = [];
  for (const size of sizes) runs.push(await measure(size, 3));
  const result = {
    bench: "parcel",
    where: folder.startsWith("/dev/shm") ? "memory" : "disk",
    cores: cpus().length,
    load: [round(load), round(loadavg()[0]!)],
    runs,
    aes256gcm_MBps: rawCipher(),
    limits: LIMITS,
  };
  console.log(JSON.stringify(result));
  const fast = runs.every((run) => run.pack_MBps >= LIMITS.pack_MBps && run.open_MBps >= LIMITS.open_MBps);
  const small = runs.every((run) => run.rss_MiB.pack <= LIMITS.rss_MiB && run.rss_MiB.open <= LIMITS.rss_MiB);
  process.exitCode = fast && small ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Measures one size in MiB. Of input, blob and output at most two exist at once, because memory limits the size. */
async function measure(size: number, times: number) {
  const [input, blob, output] = ["in", "blob", "out"].map((name) => join(folder, name)) as Three;
  const data = join(input, "data");
  const bytes = size * MiB;
  const speed = (seconds: readonly number[]) => round(bytes / 1e6 / median(seconds));
  const repeat = <T>(measured: () => T) => Array.from({ length: times }, measured);
  const cpu = (list: readonly Measured[]) => hundredths(median(list.map((run) => run.cpu)) / (bytes / 1e9));
  const rss = (list: readonly Measured[]) => Math.max(...list.map((run) => run.rss_MiB));

  mkdirSync(input);
  await fill(data, size);
  const copies = repeat(() => copySeconds(data));
  const packs = repeat(() => {
    rmSync(blob, { force: true });
    return child("pack");
  });
  rmSync(input, { recursive: true });
  const opens = repeat(() => {
    rmSync(output, { recursive: true, force: true });
    return child("open");
  });
  rmSync(blob);
  const peer = age(join(output, "data"), speed);
  rmSync(output, { recursive: true });
  return {
    MiB: size,
    times,
    pack_MBps: speed(packs.map((run) => run.seconds)),
    open_MBps: speed(opens.map((run) => run.seconds)),
    cpu_seconds_per_GB: { pack: cpu(packs), open: cpu(opens) },
    rss_MiB: { pack: rss(packs), open: rss(opens) },
    age: peer,
    /** `cp` of the same bytes in the same place: an upper bound for any parcel. */
    copy_MBps: speed(copies),
  };
}

function child(step: "pack" | "open"): Measured {
  const { status, stdout } = spawnSync(process.execPath, [CHILD, step, folder], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (status !== 0) process.exit(1);
  return JSON.parse(stdout) as Measured;
}

function copySeconds(file: string): number {
  const copy = join(folder, "copy");
  const begin = performance.now();
  if (spawnSync("cp", ["--reflink=never", file, copy], { stdio: "inherit" }).status !== 0) process.exit(1);
  const seconds = (performance.now() - begin) / 1000;
  rmSync(copy);
  return seconds;
}

/** Encrypts and decrypts a file with `age`, file to file. Removes the file. */
function age(file: string, speed: (seconds: readonly number[]) => number) {
  const [key, sealed, opened] = ["key", "sealed", "opened"].map((name) => join(folder, name)) as Three;
  if (spawnSync("age-keygen", ["-o", key]).status !== 0) return "absent";
  const recipient = /age1\w+/.exec(readFileSync(key, "utf8"))![0];
  const seconds = (args: string[]) => {
    const begin = performance.now();
    if (spawnSync("age", args, { stdio: "inherit" }).status !== 0) process.exit(1);
    return (performance.now() - begin) / 1000;
  };
  const encrypt = speed([seconds(["-r", recipient, "-o", sealed, file])]);
  rmSync(file);
  const decrypt = speed([seconds(["-d", "-i", key, "-o", opened, sealed])]);
  for (const path of [key, sealed, opened]) rmSync(path);
  return { encrypt_MBps: encrypt, decrypt_MBps: decrypt };
}

/** MB/s of Node's own cipher over 1 GiB in memory: an upper bound for any parcel on one core. */
function rawCipher(): number {
  const buffer = randomFillSync(Buffer.alloc(MiB));
  const cipher = createCipheriv("aes-256-gcm", buffer.subarray(0, 32), buffer.subarray(32, 44));
  const begin = performance.now();
  for (let i = 0; i < 1024; i++) cipher.update(buffer);
  return round((1024 * MiB) / 1e3 / (performance.now() - begin));
}

async function fill(path: string, size: number): Promise<void> {
  const buffer = Buffer.alloc(8 * MiB);
  const file = await open(path, "wx");
  for (let left = size * MiB; left > 0; left -= buffer.length) {
    await file.write(randomFillSync(buffer), 0, Math.min(left, buffer.length));
  }
  await file.close();
}

/** Memory if it has room for input, blob and output: on a disk the disk would be measured instead of the code. */
function place(size: number): string {
  const memory = "/dev/shm";
  if (!existsSync(memory)) return tmpdir();
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize > 2.2 * size * MiB ? memory : tmpdir();
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[list.length >> 1]!;
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
