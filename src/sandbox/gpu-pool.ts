import { IchainError } from "../errors/error.ts";

/** One GPU to one job at a time: what is reserved is not offered to another. */
export interface GpuPool {
  /** UUIDs that are free now, in the order of discovery. */
  free(): string[];
  /**
   * Reserves `count` GPUs with at least `memoryBytes` each for the job; the same job gets the same ones
   * again. Throws `GPU_ABSENT` (class `refused`: this machine never can) or `GPU_BUSY` (retryable).
   */
  reserve(job: string, count: number, memoryBytes?: number): string[];
  /** Takes back what a job had before a restart; throws `GPU_BUSY` when another holds one of them. */
  restore(job: string, uuids: readonly string[]): void;
  release(job: string): void;
}

/** Which GPUs there are; those with different hosts never go to one job. */
export interface PooledGpu {
  readonly uuid: string;
  readonly memoryBytes: number;
  readonly host?: string | undefined;
}

export function gpuPool(gpus: readonly PooledGpu[]): GpuPool {
  const held = new Map<string, readonly string[]>();
  const taken = () => new Set([...held.values()].flat());

  return {
    free() {
      const busy = taken();
      return gpus.map(({ uuid }) => uuid).filter((uuid) => !busy.has(uuid));
    },
    reserve(job, count, memoryBytes = 0) {
      const already = held.get(job);
      if (already !== undefined) return [...already];
      const fit = gpus.filter((gpu) => gpu.memoryBytes >= memoryBytes);
      const hosts = [...Map.groupBy(fit, ({ host }) => host).values()].map((own) =>
        own.map(({ uuid }) => uuid),
      );
      const most = Math.max(0, ...hosts.map((own) => own.length));
      if (!Number.isInteger(count) || count < 0 || most < count) throw absent(count, memoryBytes, most);
      const busy = taken();
      const free = hosts.map((own) => own.filter((uuid) => !busy.has(uuid)));
      const chosen = count === 0 ? [] : free.find((own) => own.length >= count)?.slice(0, count);
      if (chosen === undefined) throw occupied(count, Math.max(...free.map((own) => own.length)));
      if (count > 0) held.set(job, chosen);
      return chosen;
    },
    restore(job, uuids) {
      held.delete(job);
      const busy = taken();
      const known = new Set(gpus.map(({ uuid }) => uuid));
      const missing = uuids.filter((uuid) => !known.has(uuid)).length;
      if (missing > 0) throw absent(uuids.length, 0, uuids.length - missing);
      if (uuids.some((uuid) => busy.has(uuid))) throw occupied(uuids.length, 0);
      if (uuids.length > 0) held.set(job, [...uuids]);
    },
    release(job) {
      held.delete(job);
    },
  };
}

function absent(count: number, memoryBytes: number, fit: number): IchainError {
  return new IchainError(`The job asks for ${count} GPUs; this machine has ${fit} that fit.`, {
    code: "GPU_ABSENT",
    class: "refused",
    hint: "Leave the job to a provider with more GPUs, or ask for fewer.",
    details: { count, memoryBytes, fit },
  });
}

function occupied(count: number, free: number): IchainError {
  return new IchainError(`The job asks for ${count} GPUs; ${free} are free now.`, {
    code: "GPU_BUSY",
    class: "unavailable",
    hint: "Wait until a running job ends.",
    retryable: true,
    details: { count, free },
  });
}
