import { rm } from "node:fs/promises";
import type { EngineInfo } from "../engines/engine.ts";
import type { RunConfig } from "./context.ts";
import type { RunRecord } from "./record.ts";
import { stop } from "./supervise.ts";
import { usageGroup } from "./usage.ts";

/** Removes what a run holds of the machine; outputs that are on record stay, sealed. */
export async function clean(
  { engine, outSpace }: RunConfig,
  info: EngineInfo | undefined,
  { name, home, record }: { name: string; home: string; record?: RunRecord | undefined },
): Promise<void> {
  const out = outSpace(home);
  const kept = record?.outputs !== undefined;
  await Promise.all([engine.remove(name), kept ? out.seal() : undefined]);
  if (!kept) await out.destroy(); // not before nobody can write there
  if (info !== undefined) await usageGroup(name, info)?.remove();
}

/** Everything that a run holds of the machine, when it will not be finished. */
export async function abandon(
  place: RunConfig,
  info: EngineInfo | undefined,
  { name, home }: { name: string; home: string },
): Promise<void> {
  await stop(place.engine, name).catch(() => undefined); // removed by force in the next line
  await clean(place, info, { name, home });
  await rm(home, { recursive: true, force: true });
}
