import { execFileSync } from "node:child_process";
import { median, round, type SandboxSetup } from "./setup.ts";

const PAIRS = 7;

/** Prints rounds of linear algebra a second. */
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

/** Rounds a second inside the sandbox, and outside with the same files of the same image in a chroot. */
export async function measureCpu(setup: SandboxSetup) {
  const root = execFileSync(
    "docker",
    ["image", "inspect", "-f", "{{.GraphDriver.Data.UpperDir}}", setup.held.id],
    {
      encoding: "utf8",
    },
  ).trim();
  const inside: number[] = [];
  const outside: number[] = [];
  for (let i = 0; i < PAIRS; i++) {
    const task = setup.task(["python3", "-c", program], { cpus: 1 });
    inside.push(Number((await setup.run(task)).run.log));
    const env = [
      "PATH=/usr/bin:/bin",
      "OMP_NUM_THREADS=1",
      "OPENBLAS_NUM_THREADS=1",
      "PYTHONDONTWRITEBYTECODE=1",
    ];
    const args = ["--userspec=65534:65534", root, "/usr/bin/env", "-i", ...env, "python3", "-c", program];
    outside.push(Number(execFileSync("chroot", args, { encoding: "utf8" })));
  }
  const [inside_median, outside_median] = [median(inside), median(outside)];
  return {
    pairs: PAIRS,
    inside_rps: round(inside_median),
    outside_rps: round(outside_median),
    ratio: round(inside_median / outside_median),
  };
}
