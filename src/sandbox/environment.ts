import type { Limits } from "../ports/sandbox.ts";

const USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * What ichain fixes of a task's environment, as `NAME=value`; the image's own variables are beside it (`checkImage`).
 * Nothing is inherited from this process, which may hold secrets. `path` is the image's own.
 */
export function taskEnvironment(limits: Limits, gpus: readonly string[], path = USUAL_PATH): string[] {
  // Numeric libraries count the host's cores instead of the quota and would start too many threads.
  const threads = String(Math.max(1, Math.floor(limits.cpus)));
  return Object.entries({
    PATH: path,
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
    // Fixed, so that the iteration order of sets, and with it the result, is the same in every run of a task.
    PYTHONHASHSEED: "0",
    PYTHONUNBUFFERED: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    // Where NVIDIA's runtime is the default one, an unset variable would leave the choice to the image.
    NVIDIA_VISIBLE_DEVICES: gpus.length > 0 ? gpus.join(",") : "void",
    NVIDIA_DRIVER_CAPABILITIES: "compute,utility",
  }).map(([name, value]) => `${name}=${value}`);
}
