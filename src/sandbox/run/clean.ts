import { rm } from "node:fs/promises";
import type { EngineInfo } from "../engines/engine.ts";
import type { RunConfig } from "./context.ts";
import type { RunRecord } from "./record.ts";
import { stop } from "./supervise.ts";
import { usageGroup } from "./usage.ts";

/** Removes a run's container, control group and disk. Outputs that are on record stay, read-only. */
export async function clean(
  { engine, outSpace }: RunConfig,
  info: EngineInfo | undefined,
  { name, home, record }: { name: string; home: string; record?: RunRecord | undefined },
): Promise<void> {
  const out = outSpace(home);
  const kept = record?.outputs !== undefined;
  await Promise.all([engine.remove(name), kept ? out.seal() : undefined]);
  if (!kept) await out.destroy(); // only after the container, which can write there, is removed
  if (info !== undefined) await usageGroup(name, info)?.remove();
}

/** Ends a run that will not be finished, and removes everything of it. */
export async function abandon(
  place: RunConfig,
  info: EngineInfo | undefined,
  { name, home }: { name: string; home: string },
): Promise<void> {
  await stop(place.engine, name).catch(() => undefined); // `clean` removes it by force
  await clean(place, info, { name, home });
  await rm(home, { recursive: true, force: true });
}
