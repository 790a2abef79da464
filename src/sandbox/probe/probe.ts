import type { RunOptions, SandboxReport } from "../../ports/sandbox.ts";
import { type Tier, tierAtLeast } from "../../protocol/offer.ts";
import { chooseGpuWay } from "../gpus/gpu-devices.ts";
import { checkImage, ORIGIN_LABEL } from "../images.ts";
import type { RunContext } from "../run/context.ts";
import { discoverGpus, UNKNOWN_GPU } from "./gpus.ts";
import { findTier } from "./tier.ts";

/** What the engine is and can do: its own report, its images, and the tier that a probe container shows. */
export async function probeSandbox(context: RunContext, { signal }: RunOptions = {}): Promise<SandboxReport> {
  const { engine, info } = context;
  const images = (await engine.images({ signal })).filter(usable);
  const gpus = info.gpus?.map(({ uuid }) => ({ uuid, ...UNKNOWN_GPU })) ?? (await discoverGpus({ signal }));
  const local = info.gpus === undefined && gpus.length > 0;
  return {
    engine: info.name,
    engineVersion: info.version,
    tier: await weakestTier(),
    cpus: info.cpus,
    memoryBytes: info.memoryBytes,
    ...(info.together && { together: info.together }),
    gpus,
    ...(local && { gpuWay: await chooseGpuWay(context.gpuWay, info.runtimes) }),
    images: images
      .filter(({ tags }) => tags.length > 0)
      .map(({ tags, digest }) => ({ name: nameOf(tags) ?? digest.slice(7, 19), digest })),
  };

  /** The weakest tier of the engine's machines, because a task may run on any of them. Each must isolate. */
  async function weakestTier(): Promise<Tier> {
    const machines = (await engine.machines?.({ signal })) ?? [];
    if (machines.length === 0) return findTier(context, images, { signal });
    const found: Tier[] = [];
    for (const machine of machines) {
      const probed = {
        ...context,
        engine: machine.engine,
        info: { ...info, name: machine.name, remote: machine.remote },
      };
      found.push(await findTier(probed, images, { signal }));
    }
    return found.reduce((least, tier) => (tierAtLeast(tier, least) ? least : tier));
  }

  function usable(image: Parameters<typeof checkImage>[0]): boolean {
    if (image.labels[ORIGIN_LABEL] !== undefined) return false; // it is for the job that it came with
    try {
      checkImage(image);
      return true;
    } catch {
      return false; // a job that asks for it is refused with the reason
    }
  }
}

/** `ichain/python-ml:latest` → `python-ml`. */
function nameOf(tags: readonly string[]): string | undefined {
  const tag = tags.find((candidate) => candidate.startsWith("ichain/")) ?? tags[0];
  return tag
    ?.replace(/^ichain\//, "")
    .replace(/:latest$/, "")
    .slice(0, 64);
}
