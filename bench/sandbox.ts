// Overhead of the sandbox: an empty task against `docker run` with the same settings, a CPU-bound numpy task inside
// against outside, and 1 GiB in and out against `cp`. One JSON object on stdout; needs root, Docker and the runtime
// python-ml. Pairs are interleaved and medians taken, because the machine may have other load.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { requirePrograms } from "./requirements.ts";
import { measureCpu } from "./sandbox/cpu.ts";
import { measureDisk } from "./sandbox/disk.ts";
import { createSetup } from "./sandbox/setup.ts";
import { measureStart } from "./sandbox/start.ts";

requirePrograms({ docker: "docker.io", "mkfs.ext4": "e2fsprogs", losetup: "mount" });
const limits = { start_ratio: 1.15, cpu_ratio: 0.95, in_ratio: 0.7, out_ratio: 0.7 };
const folder = mkdtempSync(join(tmpdir(), "ichain-bench-sandbox-"));
mkdirSync(join(folder, "in"));
const load = loadavg()[0];
const setup = await createSetup(folder, "python-ml");
try {
  const start = await measureStart(setup, ["/bin/true"], 31);
  const cpu = await measureCpu(setup);
  const disk = await measureDisk(setup);
  console.log(
    JSON.stringify({
      bench: "sandbox",
      runtime: "runc",
      load: [load, loadavg()[0]],
      start,
      cpu,
      disk,
      limits,
    }),
  );
  const good =
    start.ratio <= limits.start_ratio &&
    cpu.ratio >= limits.cpu_ratio &&
    disk.in_ratio >= limits.in_ratio &&
    disk.out_ratio >= limits.out_ratio;
  process.exitCode = good ? 0 : 1;
} finally {
  await setup.sandbox.sweep(new Set());
  rmSync(folder, { recursive: true, force: true });
}
