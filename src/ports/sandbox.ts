import type { AbortOptions } from "../async/abort.ts";
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
  /** Unique and stable for the run: the container's name and label. Running it again is the same run. */
  readonly id: string;
  /** Root-filesystem digest, `sha256:…`. */
  readonly image: string;
  readonly command: readonly string[];
  /** Mounted read-only at /in. */
  readonly inputDir: string;
  /** Mounted read-only at /out in a run that evaluates; absent in a run that produces, which writes there. */
  readonly resultDir?: string | undefined;
  readonly limits: Limits;
  /** GPU UUIDs; empty for none. */
  readonly gpus: readonly string[];
}

export interface TaskRun {
  readonly exitCode: number;
  /**
   * Why it ended: by itself, by its deadline, by the memory cap, by the disk cap, by somebody who stopped
   * it from outside; or it ended well and left something in /out that no output may be (a link, a device).
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
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly gpus: readonly { uuid: string; model: string; memoryBytes: number }[];
  readonly images: readonly RuntimeImage[];
}

export interface RunOptions extends AbortOptions {
  /** Neutralised text as it comes: no control characters but newline and tab. */
  readonly onLog?: ((text: string) => void) | undefined;
}

/** An image that comes with a job's bundle; paths are relative to `dir`, where the bundle was opened. */
export type BundledImage =
  | { readonly dir: string; readonly dockerfile: string }
  /** A root filesystem as an uncompressed tar, and its SHA-256 as `sha256:…`. */
  | { readonly dir: string; readonly archive: string; readonly digest: string };

/** What making an image may take. */
export interface ImageBounds {
  /** Of the engine's disk. */
  readonly maxBytes: number;
  readonly seconds: number;
  readonly memoryBytes: number;
  readonly cpus: number;
}

/** What the images that ichain brought may take together, and which unfinished jobs need (digests). */
export interface ImageBudget {
  readonly bytes: number;
  readonly keep: ReadonlySet<string>;
}

/** Runs strangers' code. */
export interface Sandbox {
  /** Throws `DOCKER_UNAVAILABLE`, class `unavailable`. */
  probe(options?: RunOptions): Promise<SandboxReport>;
  /** Throws `IMAGE_UNKNOWN` (class `refused`) when the image is not held here. */
  run(task: SandboxTask, options?: RunOptions): Promise<TaskRun>;
  /**
   * The folder, read-only, with what a run that produces has left: regular files and folders with plain
   * modes, nothing else. It is there when the task ended by itself with exit code 0, until `discard`.
   * Throws `OUTPUTS_LOST`, class `unavailable`.
   */
  outputs(id: string, options?: RunOptions): Promise<string>;
  /** Forgets a run that has ended, with its outputs; no error when there is none. */
  discard(id: string): Promise<void>;
  /** Makes an image that came with a bundle present, without network; resolves with its digest. */
  prepare(image: BundledImage, bounds: ImageBounds, options?: RunOptions): Promise<string>;
  /**
   * Removes images that came with jobs or were replaced by newer builds, the longest unused first, until
   * what ichain brought fits the budget; never one in use, never one of somebody else's. Resolves with the
   * digests of what it removed.
   */
  trim(budget: ImageBudget, options?: RunOptions): Promise<readonly string[]>;
  /**
   * Sets `count` GPUs aside for a job and names them: the same again for the same job, or those that it
   * `had` before a restart. Throws `GPU_ABSENT` (class `refused`: never here) or `GPU_BUSY` (retryable).
   */
  reserve(
    job: string,
    request: { readonly count: number; readonly had?: readonly string[] | undefined },
    options?: RunOptions,
  ): Promise<readonly string[]>;
  /** Gives a job's GPUs back; no error when it has none. */
  release(job: string): void;
  /** Removes what runs of this instance that are not in `keep` left behind. */
  sweep(keep: ReadonlySet<string>, options?: RunOptions): Promise<void>;
}
