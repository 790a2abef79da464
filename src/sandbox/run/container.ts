import { IchainError } from "../../errors/error.ts";
import type { Limits, RunOptions, SandboxTask } from "../../ports/sandbox.ts";
import type { GpuWay } from "../../protocol/machine/gpus.ts";
import type { ContainerState, EngineImage } from "../engines/engine.ts";
import { chooseGpuWay, findGpuNodes, type GpuNodes, unreachable } from "../gpus/gpu-devices.ts";
import { isPulled } from "../images.ts";
import { containerSettings } from "../policy.ts";
import { inPulled } from "../runtimes/choose.ts";
import { type EngineFacts, produces, type RunConfig } from "./context.ts";
import { makeReadable } from "./make-readable.ts";
import { usageGroup } from "./usage.ts";

/** The container of an earlier call, when it runs or has run and its outputs exist. Any other is removed. */
export async function resumable(
  { engine, outSpace }: RunConfig,
  task: SandboxTask,
  name: string,
  home: string,
  { signal }: RunOptions,
): Promise<ContainerState | undefined> {
  const state = await engine.inspect(name, { signal });
  if (state === undefined) return undefined;
  const usable = state.status === "running" || (state.status === "exited" && state.startedAt > 0);
  if (usable && (!produces(task) || (await outSpace(home).restore({ signal })))) return state;
  await engine.remove(name, { signal });
  return undefined;
}

/** Creates the container with its limits and, at the same time, the storage for its outputs. Does not start it. */
export async function createContainer(
  { engine, instance, outSpace, gpuWay }: RunConfig,
  known: Promise<EngineFacts>,
  task: SandboxTask,
  { name, home, limits, image }: { name: string; home: string; limits: Limits; image: Promise<EngineImage> },
  { signal }: RunOptions,
): Promise<void> {
  if (task.dataDir !== undefined && (engine.fetch !== undefined || engine.machines !== undefined))
    throw new IchainError(
      "OWN_DATA_UNUSABLE",
      "Data of one's own is given to tasks of a local engine alone.",
    );
  const out = outSpace(home);
  const found = await image;
  const { id: imageId, env } = found;
  const variable = (name: string) =>
    env.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
  await Promise.all([
    makeReadable(task.inputDir, { signal }),
    task.resultDir === undefined ? undefined : makeReadable(task.resultDir, { signal }),
    produces(task) ? out.clear() : undefined,
  ]);
  const create = async () => {
    const { info, runtime } = await known;
    const group = usageGroup(name, info);
    await group?.create();
    const settings = containerSettings(task, {
      instance,
      imageId,
      imagePath: variable("PATH"),
      imageLibraries: variable("LD_LIBRARY_PATH"),
      limits,
      outDir: produces(task) ? out.dir : undefined,
      runtime: isPulled(found) ? inPulled(runtime) : runtime,
      cgroupParent: group?.parent,
      gpuNodes: task.gpus.length > 0 ? await nodesFor(task.gpus, gpuWay, { info, runtime }) : undefined,
      deadline: Math.ceil(Date.now() / 1000) + limits.wallSeconds,
    });
    await engine.create(name, settings, { signal });
  };
  // The mount point must exist when the container is created; the disk in it only when the container starts.
  const making = [create(), produces(task) ? out.create(limits.diskBytes, { signal }) : undefined];
  await Promise.allSettled(making); // when one fails, the other must have ended before its remains are removed
  await Promise.all(making);
}

/** The nodes of the task's GPUs; undefined where a toolkit, or another machine's engine, gives them. */
async function nodesFor(
  uuids: readonly string[],
  way: GpuWay,
  { info, runtime }: EngineFacts,
): Promise<GpuNodes | undefined> {
  if (info.gpus !== undefined || (await chooseGpuWay(way, info.runtimes)) === "toolkit") return undefined;
  // Another kernel in between has no driver for the nodes.
  if (runtime.name !== undefined) throw unreachable(`${runtime.name} takes no device nodes`);
  return findGpuNodes(uuids);
}
