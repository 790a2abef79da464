import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { AbortOptions } from "../../async/abort.ts";
import { isAbort } from "../../errors/error.ts";
import { neutraliseLine } from "../../protocol/neutralise.ts";
import { GPU_UUID } from "../policy.ts";

const run = promisify(execFile);

export interface Gpu {
  /** `GPU-…` or, for a slice, `MIG-…`. */
  readonly uuid: string;
  readonly model: string;
  readonly memoryBytes: number;
  readonly driver: string;
  /** Such as `9.0`; empty when the driver does not report it. */
  readonly computeCapability: string;
}

/** A GPU that an engine advertises by its UUID alone: a task that asks for a model, memory or driver gets another. */
export const UNKNOWN_GPU = { model: "GPU", memoryBytes: 0, driver: "" } as const;

const FIELDS = "uuid,name,memory.total,driver_version,compute_cap";
const ANSWER_MS = 10_000;
const MAX_GPUS = 64;

/** The GPUs that the NVIDIA driver lists on this machine; none when there is no driver or it does not answer in 10 s. */
export async function discoverGpus({ signal }: AbortOptions = {}): Promise<Gpu[]> {
  try {
    const { stdout } = await run("nvidia-smi", [`--query-gpu=${FIELDS}`, "--format=csv,noheader,nounits"], {
      env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C" },
      timeout: ANSWER_MS,
      maxBuffer: 1 << 20,
      ...(signal ? { signal } : {}),
    });
    return parseGpus(stdout);
  } catch (error) {
    if (signal?.aborted && isAbort(error)) throw error;
    return [];
  }
}

/**
 * Parses the lines of `nvidia-smi --query-gpu`, with memory in MiB, and leaves out malformed ones. What it answers is
 * shown to people, so that models are neutralised and cut to 64 characters.
 */
export function parseGpus(csv: string): Gpu[] {
  return csv
    .split("\n")
    .slice(0, MAX_GPUS)
    .flatMap((line) => {
      const [uuid = "", model = "", mebibytes = "", driver = "", computeCapability = ""] = line
        .split(",")
        .map((field) => field.trim());
      if (!GPU_UUID.test(uuid) || !/^\d{1,9}$/.test(mebibytes)) return [];
      const known = /^\d+\.\d+$/.test(computeCapability) ? computeCapability : "";
      return [
        {
          uuid,
          model: neutraliseLine(model).slice(0, 64),
          memoryBytes: Number(mebibytes) * 2 ** 20,
          driver: /^\d{1,4}(\.\d{1,6}){0,3}$/.test(driver) ? driver : "",
          computeCapability: known,
        },
      ];
    });
}
