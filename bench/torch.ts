// Start of a task that imports torch, in the sandbox against `docker run` with the same settings, pairs interleaved. One
// JSON object on stdout; needs root, Docker and the runtime python-torch, which is built where it is not held.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { requirePrograms } from "./requirements.ts";
import { createSetup } from "./sandbox/setup.ts";
import { measureStart } from "./sandbox/start.ts";

requirePrograms({
  docker: "docker.io",
  mmdebstrap: "mmdebstrap",
  "mkfs.ext4": "e2fsprogs",
  losetup: "mount",
});
const limit = 1.15;
const folder = mkdtempSync(join(tmpdir(), "ichain-bench-torch-"));
mkdirSync(join(folder, "in"));
const load = loadavg()[0];
const setup = await createSetup(folder, "python-torch");
try {
  const start = await measureStart(setup, ["python3", "-c", "import torch"], 9);
  console.log(JSON.stringify({ bench: "torch", runtime: "runc", load: [load, loadavg()[0]], start, limit }));
  process.exitCode = start.ratio <= limit ? 0 : 1;
} finally {
  await setup.sandbox.sweep(new Set());
  rmSync(folder, { recursive: true, force: true });
}
