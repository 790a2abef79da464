import type { AbortOptions } from "../async/abort.ts";
import type { GpuDemand, GpuFacts, GpuWay } from "../protocol/machine/gpus.ts";
import type { Tier } from "../protocol/offer.ts";

/** Bounds of one run; the sandbox policy may tighten them, never widen them. */
export interface Limits {
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Cap on /out, bytes. */
  readonly diskBytes: number;
  readonly wallSeconds: number;
  readonly pids: number;
  /** Cap on what is kept of stdout and stderr, bytes. */
  readonly logBytes: number;
}

export interface SandboxTask {
  /** Name and label of the container, unique for the run. A second call with it continues the same run. */
  readonly id: string;
  /** Root-filesystem digest, `sha256:…`. */
  readonly image: string;
  readonly command: readonly string[];
  /** Mounted read-only at /in. */
  readonly inputDir: string;
  /** Mounted read-only at /out in a run that evaluates; absent in a run that produces, which writes there. */
  readonly resultDir?: string | undefined;
  /** A folder of the machine's owner, mounted read-only at /in/data and otherwise left as it is. */
  readonly dataDir?: string | undefined;
  readonly limits: Limits;
  /** GPU UUIDs; empty for none. */
  readonly gpus: readonly string[];
}

export interface TaskRun {
  readonly exitCode: number;
  /**
   * Why it ended: by itself, at its deadline, at the memory or disk cap, or because another process stopped it. `output`:
   * it ended by itself, but left a link, a device or the like in /out.
   */
  readonly ended: "exit" | "deadline" | "memory" | "disk" | "stopped" | "output";
  readonly log: string;
  readonly logTruncated: boolean;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
}

export interface RuntimeImage {
  readonly name: string;
  readonly digest: string;
}

export interface SandboxReport {
  readonly engine: string;
  readonly engineVersion: string;
  readonly tier: Tier;
  /** Of its largest machine: a task runs on one. */
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Of all its machines, where they are several. */
  readonly together?: { readonly cpus: number; readonly memoryBytes: number } | undefined;
  readonly gpus: readonly (GpuFacts & { readonly uuid: string })[];
  /** How tasks get them; absent where there are none, or the engine is of another machine. */
  readonly gpuWay?: Exclude<GpuWay, "auto"> | undefined;
  readonly images: readonly RuntimeImage[];
}

export interface RunOptions extends AbortOptions {
  /** Gets the output as it comes, neutralised: no control characters but newline and tab. */
  readonly onLog?: ((text: string) => void) | undefined;
}

/** An image in a registry, by the digest of its manifest: `host/name@sha256:…`. */
export interface PulledImage {
  readonly oci: string;
}

/** An image in a job's bundle; paths are relative to `dir`, the folder of the opened bundle. */
export type BundledImage =
  | { readonly dir: string; readonly dockerfile: string }
  /** A root filesystem as an uncompressed tar, and its SHA-256 as `sha256:…`. */
  | { readonly dir: string; readonly archive: string; readonly digest: string };

/** Bounds on building or pulling an image. */
export interface ImageBounds {
  /** On the engine's disk. */
  readonly maxBytes: number;
  readonly seconds: number;
  readonly memoryBytes: number;
  readonly cpus: number;
}

/** Disk for the images that ichain brought, and the digests of those that unfinished jobs need. */
export interface ImageBudget {
  readonly bytes: number;
  readonly keep: ReadonlySet<string>;
}

/** Runs the code of other parties in isolation. */
export interface Sandbox {
  /**
   * Finds what the engine offers and how well it isolates.
   * @throws DOCKER_UNAVAILABLE
   */
  probe(options?: RunOptions): Promise<SandboxReport>;
  /**
   * Resolves once the engine answers; of several, one.
   * @throws DOCKER_UNAVAILABLE
   */
  ping(options?: AbortOptions): Promise<void>;
  /**
   * Runs a task to its end.
   * @throws IMAGE_UNKNOWN
   */
  run(task: SandboxTask, options?: RunOptions): Promise<TaskRun>;
  /**
   * The read-only folder with the outputs of a run: only regular files and folders, with plain modes. It exists after a
   * task that ended by itself with exit code 0, until `discard`.
   * @throws OUTPUTS_LOST
   */
  outputs(id: string, options?: RunOptions): Promise<string>;
  /**
   * Copies the newest complete checkpoint of a run that may still be under way into the absent folder `into`; resolves
   * with its number, or with undefined where there is none above `after`, or this machine does not see the outputs yet.
   * The copy has only regular files and folders.
   * @throws CHECKPOINT_TOO_LARGE, CHECKPOINT_UNSAFE with the `number` among the details
   */
  checkpoint(
    id: string,
    request: { readonly after: number | undefined; readonly into: string; readonly maxBytes: number },
    options?: RunOptions,
  ): Promise<number | undefined>;
  /** Removes an ended run with its outputs; no error when there is none. */
  discard(id: string): Promise<void>;
  /**
   * Builds or loads an image from a bundle, without network, or lets the engine pull one; resolves with its
   * root-filesystem digest.
   */
  prepare(image: BundledImage | PulledImage, bounds: ImageBounds, options?: RunOptions): Promise<string>;
  /**
   * Removes images of jobs and replaced builds, the longest unused first, until what ichain brought fits the budget.
   * Never removes an image in use, or one that ichain did not bring. Resolves with the digests of the removed ones.
   */
  trim(budget: ImageBudget, options?: RunOptions): Promise<readonly string[]>;
  /**
   * Reserves `count` GPUs that meet the demand for a job: the same in each call for it, or those that it `had` before a
   * restart. Resolves with their UUIDs.
   * @throws GPU_ABSENT the machine has fewer
   * @throws GPU_BUSY other jobs hold them now; retryable
   */
  reserve(
    job: string,
    request: {
      readonly count: number;
      readonly demand?: GpuDemand | undefined;
      readonly had?: readonly string[] | undefined;
    },
    options?: RunOptions,
  ): Promise<readonly string[]>;
  /** Ends a job's reservation; no error when it has none. */
  release(job: string): void;
  /** Removes the containers and disks of this instance's runs that are not in `keep`. */
  sweep(keep: ReadonlySet<string>, options?: RunOptions): Promise<void>;
}
