import { execFileSync } from "node:child_process";
import { type Box, median, round } from "./box.ts";

const PAIRS = 7;

/** Prints how many rounds of linear algebra a second of its own CPU-bound work makes. */
const program = `
import time, numpy as np
r = np.random.default_rng(1)
a = r.random((400, 400))
for _ in range(5): np.linalg.svd(a)
t, n = time.perf_counter(), 0
while time.perf_counter() - t < 2:
    np.linalg.svd(a) ; (a @ a).sum(); n += 1
print(n / (time.perf_counter() - t))
`;

/** Rounds a second inside the sandbox against the same files of the same image, run by chroot alone. */
export async function measureCpu(box: Box) {
  const root = execFileSync(
    "docker",
    ["image", "inspect", "-f", "{{.GraphDriver.Data.UpperDir}}", box.held.id],
    {
      encoding: "utf8",
    },
  ).trim();
  const inside: number[] = [];
  const outside: number[] = [];
  for (let i = 0; i < PAIRS; i++) {
    const task = box.task(["python3", "-c", program], { cpus: 1 });
    inside.push(Number((await box.run(task)).run.log));
    const env = [
      "PATH=/usr/bin:/bin",
      "OMP_NUM_THREADS=1",
      "OPENBLAS_NUM_THREADS=1",
      "PYTHONDONTWRITEBYTECODE=1",
    ];
    const args = ["--userspec=65534:65534", root, "/usr/bin/env", "-i", ...env, "python3", "-c", program];
    outside.push(Number(execFileSync("chroot", args, { encoding: "utf8" })));
  }
  const [box_rps, bare_rps] = [median(inside), median(outside)];
  return {
    pairs: PAIRS,
    inside_rps: round(box_rps),
    outside_rps: round(bare_rps),
    ratio: round(box_rps / bare_rps),
  };
}
