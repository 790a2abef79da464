import type { Limits } from "../ports/sandbox.ts";

/** Everything that a task's environment holds; nothing is inherited from this process. */
export function taskEnvironment(limits: Limits, gpus: readonly string[]): string[] {
  // Numeric libraries count the host's cores, not the quota, and starve themselves with threads.
  const threads = String(Math.max(1, Math.floor(limits.cpus)));
  return Object.entries({
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/tmp",
    TMPDIR: "/tmp",
    USER: "task",
    LANG: "C.UTF-8",
    TZ: "UTC",
    OMP_NUM_THREADS: threads,
    OPENBLAS_NUM_THREADS: threads,
    MKL_NUM_THREADS: threads,
    NUMEXPR_NUM_THREADS: threads,
    LOKY_MAX_CPU_COUNT: threads,
    // Two runs of one task shall agree: no order that depends on a random seed.
    PYTHONHASHSEED: "0",
    PYTHONUNBUFFERED: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    // An engine whose default runtime is NVIDIA's takes an unset variable for "as the image says".
    NVIDIA_VISIBLE_DEVICES: gpus.length > 0 ? gpus.join(",") : "void",
    NVIDIA_DRIVER_CAPABILITIES: "compute,utility",
  }).map(([name, value]) => `${name}=${value}`);
}
