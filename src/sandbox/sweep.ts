import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { AbortOptions } from "../async/abort.ts";
import { containerName, labels } from "./policy.ts";
import type { RunContext } from "./run/context.ts";
import { usageGroup } from "./run/usage.ts";

/**
 * Removes the containers, disks, control groups and records of this instance's runs that are not in `keep`
 * (run ids). Containers are found by label and disks by folder, because after a crash either can exist without
 * the other.
 */
export async function sweepRuns(
  context: RunContext,
  keep: ReadonlySet<string>,
  { signal }: AbortOptions = {},
): Promise<void> {
  const { engine, info, instance, runsDir, outSpace } = context;
  const found = new Set<string>();
  for (const container of await engine.list({ [labels.instance]: instance }, { signal })) {
    const id = container.labels[labels.job];
    if (id !== undefined && keep.has(id)) continue;
    await engine.remove(container.id, { signal });
    if (id !== undefined) found.add(id);
  }
  for (const id of await readdir(runsDir).catch(() => [])) {
    if (keep.has(id)) continue;
    signal?.throwIfAborted();
    await outSpace(join(runsDir, id)).destroy();
    await rm(join(runsDir, id), { recursive: true, force: true });
    found.add(id);
  }
  for (const id of found) await usageGroup(containerName(instance, id), info)?.remove();
}
