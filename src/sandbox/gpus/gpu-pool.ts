import { IchainError } from "../../errors/error.ts";
import { type GpuDemand, type GpuFacts, meetsDemand } from "../../protocol/machine/gpus.ts";

/** Reserves GPUs for jobs, each GPU for one job at a time. */
export interface GpuPool {
  /** UUIDs of the GPUs that are free now, in the order of discovery. */
  free(): string[];
  /**
   * Reserves `count` GPUs on one host that each meet `demand`. A job that holds GPUs gets the same again.
   * @throws GPU_ABSENT when this machine has too few, however long the job waits
   * @throws GPU_BUSY when too few are free now
   */
  reserve(job: string, count: number, demand?: GpuDemand): string[];
  /**
   * Reserves the GPUs that a job held before a restart.
   * @throws GPU_ABSENT when one of them is not there any more
   * @throws GPU_BUSY when another job holds one of them
   */
  restore(job: string, uuids: readonly string[]): void;
  release(job: string): void;
}

/** A GPU of the pool. A job's GPUs are all on one `host`. */
export interface PooledGpu extends GpuFacts {
  readonly uuid: string;
  readonly host?: string | undefined;
}

export function gpuPool(gpus: readonly PooledGpu[]): GpuPool {
  const held = new Map<string, readonly string[]>();
  const reserved = () => new Set([...held.values()].flat());

  return {
    free() {
      const busy = reserved();
      return gpus.map(({ uuid }) => uuid).filter((uuid) => !busy.has(uuid));
    },
    reserve(job, count, demand) {
      const already = held.get(job);
      if (already !== undefined) return [...already];
      const fit = gpus.filter((gpu) => meetsDemand(gpu, demand));
      const hosts = [...Map.groupBy(fit, ({ host }) => host).values()].map((own) =>
        own.map(({ uuid }) => uuid),
      );
      const most = Math.max(0, ...hosts.map((own) => own.length));
      if (!Number.isInteger(count) || count < 0 || most < count) throw absent(count, most);
      const busy = reserved();
      const free = hosts.map((own) => own.filter((uuid) => !busy.has(uuid)));
      const chosen = count === 0 ? [] : free.find((own) => own.length >= count)?.slice(0, count);
      if (chosen === undefined) throw occupied(count, Math.max(...free.map((own) => own.length)));
      if (count > 0) held.set(job, chosen);
      return chosen;
    },
    restore(job, uuids) {
      held.delete(job);
      const busy = reserved();
      const known = new Set(gpus.map(({ uuid }) => uuid));
      const missing = uuids.filter((uuid) => !known.has(uuid)).length;
      if (missing > 0) throw absent(uuids.length, uuids.length - missing);
      if (uuids.some((uuid) => busy.has(uuid))) throw occupied(uuids.length, 0);
      if (uuids.length > 0) held.set(job, [...uuids]);
    },
    release(job) {
      held.delete(job);
    },
  };
}

function absent(count: number, fit: number): IchainError {
  return new IchainError("GPU_ABSENT", `The job asks for ${count} GPUs; this machine has ${fit} that fit.`, {
    details: { count, fit },
  });
}

function occupied(count: number, free: number): IchainError {
  return new IchainError("GPU_BUSY", `The job asks for ${count} GPUs; ${free} are free now.`, {
    details: { count, free },
  });
}
