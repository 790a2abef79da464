import type { Readable } from "node:stream";
import type { AbortOptions } from "../../async/abort.ts";
import type { ContainerSettings } from "../policy.ts";

export interface EngineInfo {
  readonly name: string;
  readonly version: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** OCI runtimes that it can start containers with: `runc`, `runsc`, … */
  readonly runtimes: readonly string[];
  readonly defaultRuntime: string;
  readonly cgroupDriver: string;
  readonly cgroupVersion: string;
  /** Where it keeps images, on its own machine. */
  readonly rootDir: string;
  readonly securityOptions: readonly string[];
  /** It runs on another machine: what is known of this one says nothing about it. */
  readonly remote?: boolean;
  /** A task has a network interface, and a policy lets nothing pass it. */
  readonly networkFiltered?: boolean;
  /** GPUs that the engine itself tells of, with the machine each is in; undefined where it does not. */
  readonly gpus?: readonly { readonly uuid: string; readonly host: string }[];
}

export interface EngineImage {
  /** The engine's own name for it, never a tag: what containers are created from. */
  readonly id: string;
  readonly tags: readonly string[];
  /** Root-filesystem digest, `sha256:…` (see `rootDigest`). */
  readonly digest: string;
  readonly bytes: number;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** What the image asks for; judged by `checkImage` before it is used. */
  readonly env: readonly string[];
  readonly volumes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface ContainerState {
  readonly id: string;
  readonly status: "created" | "running" | "exited" | "other";
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  /** Unix milliseconds; 0 when it has not happened. */
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ContainerEntry {
  readonly id: string;
  readonly name: string;
  /** The engine's own name for the image that it was created from. */
  readonly imageId: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** CPU and memory as the engine samples them; less exact than the control group's own counters. */
export interface Sample {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

/**
 * What ichain needs of a container engine. Every call throws `DOCKER_UNAVAILABLE` (class `unavailable`)
 * when the engine cannot be reached or does not answer in time.
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
   * Builds an image from the tar archive `files` by the Dockerfile in it, without network, and tags it
   * `repository:latest`. The steps run as the engine runs them: in containers of its own making.
   */
  build(
    files: Readable,
    image: { dockerfile: string; repository: string; memoryBytes: number; cpus: number },
    options?: AbortOptions & { onLog?: ((text: string) => void) | undefined },
  ): Promise<void>;
  /** Untags and removes; no error when a container needs the image, or when it is gone. */
  removeImage(image: EngineImage, options?: AbortOptions): Promise<void>;
  create(name: string, settings: ContainerSettings, options?: AbortOptions): Promise<string>;
  inspect(container: string, options?: AbortOptions): Promise<ContainerState | undefined>;
  list(labels: Readonly<Record<string, string>>, options?: AbortOptions): Promise<ContainerEntry[]>;
  /** stdout and stderr as they come, to the end; `replay` starts with what was printed before. */
  output(container: string, options: AbortOptions & { replay: boolean }): Promise<AsyncIterable<Uint8Array>>;
  start(container: string, options?: AbortOptions): Promise<void>;
  /** Resolves when the container does not run (any more). Has no time limit of its own. */
  ended(container: string, options?: AbortOptions): Promise<void>;
  /** No error when it does not run or does not exist. */
  kill(container: string, signal: "SIGTERM" | "SIGKILL", options?: AbortOptions): Promise<void>;
  /** Kills and removes; no error when it does not exist. */
  remove(container: string, options?: AbortOptions): Promise<void>;
  samples(container: string, options?: AbortOptions): AsyncIterable<Sample>;
  /** The machines behind it, each to be looked at for itself; absent or empty for one machine. */
  machines?(options?: AbortOptions): Promise<{ name: string; remote: boolean; engine: Engine }[]>;
  /**
   * Brings a stopped container's /out to the folder that was to be mounted there, where the engine cannot
   * mount it; absent where it does. Throws class `untrusted` for what no output may be.
   */
  fetch?(container: string, options?: AbortOptions): Promise<void>;
}
