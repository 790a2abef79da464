import type { RunOptions, SandboxReport } from "../../ports/sandbox.ts";
import { checkImage } from "../images.ts";
import type { RunContext } from "../run/run.ts";
import { discoverGpus } from "./gpus.ts";
import { findTier } from "./tier.ts";

/** What this machine's engine is and can do, found by asking and by trying. */
export async function probeSandbox(context: RunContext, { signal }: RunOptions = {}): Promise<SandboxReport> {
  const { engine, info } = context;
  const images = (await engine.images({ signal })).filter(usable);
  return {
    engine: info.name,
    engineVersion: info.version,
    tier: await findTier(context, images, { signal }),
    cpus: info.cpus,
    memoryBytes: info.memoryBytes,
    gpus: await discoverGpus({ signal }),
    images: images
      .filter(({ tags }) => tags.length > 0)
      .map(({ tags, digest }) => ({ name: nameOf(tags) ?? digest.slice(7, 19), digest })),
  };

  function usable(image: Parameters<typeof checkImage>[0]): boolean {
    try {
      checkImage(image);
      return true;
    } catch {
      return false; // not offered, and refused by name when a job asks for it
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
