import type { Readable } from "node:stream";
import type { AbortOptions } from "../../async/abort.ts";
import type { ContainerSettings } from "../policy.ts";

export interface EngineInfo {
  readonly name: string;
  readonly version: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Of all its machines, where they are several. */
  readonly together?: { readonly cpus: number; readonly memoryBytes: number };
  /** Names of its OCI runtimes: `runc`, `runsc`, … */
  readonly runtimes: readonly string[];
  readonly defaultRuntime: string;
  readonly cgroupDriver: string;
  readonly cgroupVersion: string;
  /** Folder of its images, on its own machine. */
  readonly rootDir: string;
  readonly securityOptions: readonly string[];
  /** True when it runs on another machine, about which this machine's kernel and devices say nothing. */
  readonly remote?: boolean;
  /** True when a task has a network interface and a network policy drops all its traffic. */
  readonly networkFiltered?: boolean;
  /** GPUs that the engine advertises, and the machine of each; undefined for an engine that advertises none. */
  readonly gpus?: readonly { readonly uuid: string; readonly host: string }[];
}

export interface EngineImage {
  /** The engine's id, from which containers are created. Never a tag, which can move to another image. */
  readonly id: string;
  readonly tags: readonly string[];
  /** Where it was pulled from: `name@sha256:…`, by the digests of its manifests. */
  readonly references: readonly string[];
  /** Root-filesystem digest, `sha256:…` (see `rootDigest`). */
  readonly digest: string;
  readonly bytes: number;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** The image's own settings, which `checkImage` checks before use. */
  readonly env: readonly string[];
  readonly volumes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface ContainerState {
  readonly id: string;
  readonly status: "created" | "running" | "exited" | "other";
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  /** Unix milliseconds; 0 when it has not started. `finishedAt` likewise. */
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ContainerEntry {
  readonly id: string;
  readonly name: string;
  /** The engine's id of its image. */
  readonly imageId: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** CPU time and memory as the engine samples them, less exact than the control group's counters. */
export interface Sample {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

/**
 * What ichain needs of a container engine.
 * @throws DOCKER_UNAVAILABLE in every call, when the engine cannot be reached or does not answer in time
 * @throws ENGINE_REFUSED in every call, when the engine reports an error
 */
export interface Engine {
  ping(options?: AbortOptions): Promise<void>;
  info(options?: AbortOptions): Promise<EngineInfo>;
  images(options?: AbortOptions): Promise<EngineImage[]>;
  /** Loads a root-filesystem archive and tags it `repository:latest`. */
  importRoot(
    archive: Readable,
    image: { repository: string; labels: Readonly<Record<string, string>> },
    options?: AbortOptions,
  ): Promise<void>;
  /**
   * Builds an image from the tar archive `files` with the Dockerfile in it, without network, and tags it
   * `repository:latest`. The engine runs the steps in its own containers, to which the policy of tasks does not apply.
   */
  build(
    files: Readable,
    image: { dockerfile: string; repository: string; memoryBytes: number; cpus: number },
    options?: AbortOptions & { onLog?: ((text: string) => void) | undefined },
  ): Promise<void>;
  /** Pulls `name@sha256:…` from its registry. Has no time limit. */
  pull(reference: string, options?: AbortOptions): Promise<void>;
  /** Removes an image, its tags and references; no error when a container needs it or it does not exist. */
  removeImage(image: EngineImage, options?: AbortOptions): Promise<void>;
  create(name: string, settings: ContainerSettings, options?: AbortOptions): Promise<string>;
  inspect(container: string, options?: AbortOptions): Promise<ContainerState | undefined>;
  list(labels: Readonly<Record<string, string>>, options?: AbortOptions): Promise<ContainerEntry[]>;
  /** stdout and stderr to their end; with `replay` from the beginning, otherwise from now. */
  output(container: string, options: AbortOptions & { replay: boolean }): Promise<AsyncIterable<Uint8Array>>;
  start(container: string, options?: AbortOptions): Promise<void>;
  /** Resolves when the container does not run. Has no time limit. */
  ended(container: string, options?: AbortOptions): Promise<void>;
  /** Sends a signal; no error when the container does not run or does not exist. */
  kill(container: string, signal: "SIGTERM" | "SIGKILL", options?: AbortOptions): Promise<void>;
  /** Kills and removes; no error when it does not exist. */
  remove(container: string, options?: AbortOptions): Promise<void>;
  /** One a second, zero while it does not run; throws when it does not exist. */
  samples(container: string, options?: AbortOptions): AsyncIterable<Sample>;
  /** The machines of a cluster, each as an engine that can be probed; absent or empty for a single machine. */
  machines?(options?: AbortOptions): Promise<{ name: string; remote: boolean; engine: Engine }[]>;
  /**
   * Copies a stopped container's /out to the folder that would be mounted there; absent where the engine mounts it.
   * @throws OUTPUT_UNSAFE, OUTPUT_TOO_LARGE
   */
  fetch?(container: string, options?: AbortOptions): Promise<void>;
}
