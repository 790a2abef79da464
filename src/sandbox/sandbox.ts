import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { join, resolve } from "node:path";
import type { AbortOptions } from "../async/abort.ts";
import { IchainError } from "../errors/error.ts";
import type { Limits, Sandbox } from "../ports/sandbox.ts";
import type { GpuWay } from "../protocol/machine/gpus.ts";
import type { Tier } from "../protocol/offer.ts";
import { buildBundledImage } from "./bundled/prepare.ts";
import { collectImages, touchImage } from "./collect-images.ts";
import { dockerEngine } from "./engines/docker.ts";
import type { Engine } from "./engines/engine.ts";
import { engineDiskFull } from "./engines/faults.ts";
import { type GpuPool, gpuPool } from "./gpus/gpu-pool.ts";
import { copyCheckpoint } from "./outputs/checkpoint.ts";
import { outputDisk } from "./outputs/disk.ts";
import { outputFolder } from "./outputs/folder.ts";
import { containerName } from "./policy.ts";
import { discoverGpus, UNKNOWN_GPU } from "./probe/gpus.ts";
import { probeSandbox } from "./probe/probe.ts";
import { pullImage } from "./pull-image.ts";
import { clean } from "./run/clean.ts";
import type { EngineFacts, RunConfig, RunContext } from "./run/context.ts";
import { findOutputs } from "./run/outputs.ts";
import { runContainer } from "./run/run.ts";
import { chooseRuntime } from "./runtimes/choose.ts";
import { sweepRuns } from "./sweep.ts";

export const DEFAULT_SOCKET = "/var/run/docker.sock";

export interface SandboxOptions {
  readonly socketPath?: string | undefined;
  /** Instead of the Docker engine at `socketPath`. */
  readonly engine?: Engine | undefined;
  /** Private folder for the disks and records of runs; absolute, or relative to the working folder. */
  readonly stateDir: string;
  /** Names this daemon among others on the same engine: letters, digits, `_`, `.`, `-`. */
  readonly instance: string;
  /** The most that one task may use here. */
  readonly ceiling?: Limits | undefined;
  /** True when tasks may run on other machines, which reach the state folder at the same path. */
  readonly shared?: boolean | undefined;
  /** Tasks are started with a runtime of at least this tier; by default with the engine's own. */
  readonly leastTier?: Tier | undefined;
  /** How tasks get this machine's GPUs; `auto` when absent. */
  readonly gpu?: GpuWay | undefined;
}

/** The sandbox on one engine, this machine's Docker unless another is given. Makes no call before it is used. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const engine = options.engine ?? dockerEngine({ socketPath: options.socketPath ?? DEFAULT_SOCKET });
  const runsDir = join(resolve(options.stateDir), "runs");
  const usesDir = join(resolve(options.stateDir), "images");
  const outSpace = options.shared ? outputFolder : outputDisk;
  const place: RunConfig = {
    engine,
    instance: options.instance,
    runsDir,
    ceiling: options.ceiling ?? hostCeiling(),
    outSpace,
    gpuWay: options.gpu ?? "auto",
  };
  const busy = new Set<string>();
  let gpus: Promise<GpuPool> | undefined;
  let last: EngineFacts | undefined;

  /** One pool for the lifetime of the sandbox, because it holds the reservations. */
  function gpusHere(abortOptions: AbortOptions): Promise<GpuPool> {
    gpus ??= engine
      .info(abortOptions)
      .then(async (info) => {
        const advertised = info.gpus?.map((gpu) => ({ ...gpu, ...UNKNOWN_GPU }));
        return gpuPool(advertised ?? (await discoverGpus(abortOptions)));
      })
      .catch((error: unknown) => {
        gpus = undefined;
        throw error;
      });
    return gpus;
  }

  /** Asks the engine each time, because it may have been restarted with other runtimes. */
  async function ask(abortOptions: AbortOptions = {}): Promise<EngineFacts> {
    const info = await engine.info(abortOptions);
    await mkdir(runsDir, { recursive: true, mode: 0o700 });
    last = { info, runtime: chooseRuntime(info, options.leastTier ?? "runc") };
    return last;
  }

  const context = async (abortOptions?: AbortOptions): Promise<RunContext> => ({
    ...place,
    ...(await ask(abortOptions)),
  });

  return {
    async probe(abortOptions) {
      return probeSandbox(await context(abortOptions), abortOptions);
    },
    ping: (abortOptions) => engine.ping(abortOptions),
    async run(task, abortOptions) {
      if (busy.has(task.id)) throw runBusy(task.id);
      busy.add(task.id);
      try {
        await touchImage(usesDir, task.image);
        return await runContainer(place, ask(abortOptions), task, abortOptions);
      } catch (error) {
        throw (error as NodeJS.ErrnoException).code === "ENOSPC" ? engineDiskFull(error) : error;
      } finally {
        busy.delete(task.id);
      }
    },
    outputs: (id, abortOptions) => findOutputs(place, id, abortOptions),
    checkpoint: (id, request, abortOptions) =>
      copyCheckpoint(outSpace(join(runsDir, id)).dir, request, abortOptions),
    async discard(id) {
      if (busy.has(id)) throw runBusy(id);
      const home = join(runsDir, id);
      if (!existsSync(home)) return; // a run makes its folder before anything else
      const { info } = last ?? (await ask());
      await clean(place, info, { name: containerName(options.instance, id), home });
      await rm(home, { recursive: true, force: true });
    },
    async prepare(image, bounds, abortOptions) {
      if (options.shared) throw notShared();
      const here = { engine, info: await engine.info(abortOptions), instance: options.instance };
      return "oci" in image
        ? pullImage(here, image, bounds, abortOptions)
        : buildBundledImage(here, image, bounds, abortOptions);
    },
    async trim(budget, abortOptions) {
      return (await collectImages(engine, { usesDir, instance: options.instance }, budget, abortOptions)).map(
        ({ digest }) => digest,
      );
    },
    async reserve(job, { count, demand, had }, abortOptions = {}) {
      if (count === 0) return [];
      const pool = await gpusHere(abortOptions);
      if (had === undefined) return pool.reserve(job, count, demand);
      pool.restore(job, had);
      return had;
    },
    release(job) {
      void gpus?.then((pool) => pool.release(job)).catch(() => undefined);
    },
    async sweep(keep, abortOptions) {
      await sweepRuns(await context(abortOptions), new Set([...keep, ...busy]), abortOptions);
    },
  };
}

/** The whole machine except a quarter of its memory. */
function hostCeiling(): Limits {
  return {
    cpus: availableParallelism(),
    memoryBytes: Math.floor(totalmem() * 0.75),
    diskBytes: 2 ** 40,
    wallSeconds: 30 * 86_400,
    pids: 4096,
    logBytes: 64 * 2 ** 20,
  };
}

function notShared(): IchainError {
  return new IchainError(
    "IMAGE_BUILD_FAILED",
    "Tasks run on several machines here, and an image from a bundle would be on one of them only.",
    {
      hint: "Leave bundledImages out of the policy of a provider whose engine spans several machines.",
      details: { why: "images in bundles are not taken here" },
    },
  );
}

function runBusy(id: string): IchainError {
  return new IchainError("RUN_BUSY", `The run ${id} is already running in this process.`);
}
