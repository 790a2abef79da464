import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type Docker from "dockerode";
import { isIchainError } from "../../errors/error.ts";
import { type DockerOptions, dockerClient, ignoreStatus } from "./client.ts";
import { sampleOf, stateOf } from "./docker-state.ts";
import type { Engine, Sample } from "./engine.ts";
import { engineFault, isMissing, isTimeout, startFailed } from "./faults.ts";
import { payload } from "./frames.ts";
import { imageLister } from "./held-images.ts";

/** HTTP status: the container does not run (kill), is being removed (remove), or needs the image (image removal). */
const CONFLICT = 409;

/** Period of the CPU quota, microseconds. */
const CPU_PERIOD = 100_000;
/** Milliseconds between two samples. */
const SAMPLE_MS = 1_000;

/** A Docker engine behind its HTTP API. */
export function dockerEngine(options: DockerOptions): Engine {
  const client = dockerClient(options);
  const { docker, call } = client;
  // dockerode's types omit the options of these two calls.
  const system = docker as unknown as {
    ping(abortOptions: object): Promise<unknown>;
    info(abortOptions: object): Promise<DockerInfo>;
  };

  /** Resolves at the end of a stream of progress events; rejects when one of them is an error. */
  async function progressEnd(
    events: NodeJS.ReadableStream,
    onEvent?: (event: { stream?: unknown; error?: unknown }) => void,
  ): Promise<void> {
    let failure: unknown;
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(
        events,
        (error) => (error ? reject(error) : resolve()),
        (event: { stream?: unknown; error?: unknown }) => {
          failure ??= event.error;
          onEvent?.(event);
        },
      );
    });
    if (failure !== undefined) throw engineFault({ message: failure }, "this machine");
  }

  return {
    async ping(options) {
      await call((abortOptions) => system.ping(abortOptions), options);
    },

    async info(options) {
      const info = await call((abortOptions) => system.info(abortOptions), options);
      return {
        name: "docker",
        version: info.ServerVersion,
        cpus: info.NCPU,
        memoryBytes: info.MemTotal,
        runtimes: Object.keys(info.Runtimes ?? {}),
        defaultRuntime: info.DefaultRuntime,
        cgroupDriver: info.CgroupDriver,
        cgroupVersion: info.CgroupVersion ?? "1",
        rootDir: info.DockerRootDir,
        securityOptions: info.SecurityOptions ?? [],
      };
    },

    images: imageLister(client),

    async importRoot(archive, { repository, labels }, options) {
      const changes = Object.entries(labels).map(([key, value]) => `LABEL ${key}=${JSON.stringify(value)}`);
      await call(
        async (abortOptions) => {
          const answer = await docker.importImage(archive, {
            repo: repository,
            tag: "latest",
            changes,
            ...abortOptions,
          });
          await progressEnd(answer);
        },
        options,
        true,
      );
    },

    async build(files, { dockerfile, repository, memoryBytes, cpus }, { signal, onLog } = {}) {
      const settings = {
        dockerfile,
        t: `${repository}:latest`,
        version: "1", // the classic builder, which runs plain containers and accepts no frontend
        networkmode: "none",
        memory: memoryBytes,
        memswap: memoryBytes,
        cpuperiod: CPU_PERIOD,
        cpuquota: Math.round(cpus * CPU_PERIOD),
        pull: false,
        nocache: true,
        rm: true,
        forcerm: true,
      };
      await call(
        async (abortOptions) => {
          const answer = await docker.buildImage(
            files as NodeJS.ReadableStream,
            {
              ...settings,
              ...abortOptions,
            } as unknown as Docker.ImageBuildOptions,
          );
          await progressEnd(answer, ({ stream }) => {
            if (typeof stream === "string") onLog?.(stream);
          });
        },
        { signal },
        true,
      );
    },

    async pull(reference, options) {
      await call(
        async (abortOptions) => progressEnd(await docker.pull(reference, abortOptions)),
        options,
        true,
      );
    },

    async removeImage({ id, tags, references }, options) {
      const names = [...tags, ...references];
      // Removing the last name removes the image. The engine refuses while a container needs it.
      for (const name of names.length > 0 ? names : [id]) {
        await ignoreStatus(
          call((abortOptions) => docker.getImage(name).remove(abortOptions), options),
          404,
          CONFLICT,
        );
      }
    },

    async create(name, settings, options) {
      const made = await call(
        (abortOptions) =>
          docker.createContainer({ name, ...settings, ...abortOptions } as Docker.ContainerCreateOptions),
        options,
      );
      return made.id;
    },

    async inspect(container, options) {
      try {
        return stateOf(
          await call((abortOptions) => docker.getContainer(container).inspect(abortOptions), options),
        );
      } catch (error) {
        if (isMissing((error as { cause?: unknown }).cause)) return undefined;
        throw error;
      }
    },

    async list(labels, options) {
      const label = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
      const listed = await call(
        (abortOptions) => docker.listContainers({ all: true, filters: { label }, ...abortOptions }),
        options,
      );
      return listed.map(({ Id, Names, Labels, ImageID }) => ({
        id: Id,
        imageId: ImageID,
        name: (Names[0] ?? "").replace(/^\//, ""),
        labels: Labels,
      }));
    },

    async output(container, { signal, replay }) {
      const all = { stdout: true, stderr: true, ...(signal ? { abortSignal: signal } : {}) };
      const held = docker.getContainer(container);
      // Attaching to a stopped container would wait for its next start. Following its log does not.
      const stream = await call<NodeJS.ReadableStream>(
        () => (replay ? held.logs({ ...all, follow: true }) : held.attach({ ...all, stream: true })),
        { signal },
      );
      return payload(stream as Readable);
    },

    async start(container, options) {
      try {
        await call((abortOptions) => docker.getContainer(container).start(abortOptions), options);
      } catch (error) {
        if (!isIchainError(error, "DOCKER_UNAVAILABLE")) throw error;
        await call((abortOptions) => system.ping(abortOptions), options); // throws when the engine itself hangs
        if (isTimeout(error)) throw startFailed(container, error);
        // The connection was cut: inspect whether the engine had received the call.
        const held = await call(
          (abortOptions) => docker.getContainer(container).inspect(abortOptions),
          options,
        );
        if (stateOf(held).startedAt === 0) throw error;
      }
    },

    async ended(container, options) {
      await ignoreStatus(
        call(
          (abortOptions) =>
            docker.getContainer(container).wait({ condition: "not-running", ...abortOptions }),
          options,
          true,
        ),
        404,
      );
    },

    async kill(container, signal, options) {
      await ignoreStatus(
        call((abortOptions) => docker.getContainer(container).kill({ signal, ...abortOptions }), options),
        404,
        CONFLICT,
      );
    },

    async remove(container, options) {
      await ignoreStatus(
        call(
          (abortOptions) => docker.getContainer(container).remove({ force: true, v: true, ...abortOptions }),
          options,
        ),
        404,
        CONFLICT,
      );
    },

    async *samples(container, options): AsyncGenerator<Sample> {
      // The engine's own stream of samples asks one container after the other: one that hangs silences all.
      for (;;) {
        yield sampleOf(
          await call(
            (abortOptions) =>
              docker.getContainer(container).stats({ stream: false, "one-shot": true, ...abortOptions }),
            options,
          ),
        );
        await pause(SAMPLE_MS, undefined, options);
      }
    },
  };
}

interface DockerInfo {
  readonly ServerVersion: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly Runtimes?: Record<string, unknown>;
  readonly DefaultRuntime: string;
  readonly CgroupDriver: string;
  readonly CgroupVersion?: string;
  readonly DockerRootDir: string;
  readonly SecurityOptions?: string[];
}
