import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AbortOptions } from "../async/abort.ts";
import type { ImageBudget } from "../ports/sandbox.ts";
import type { Engine, EngineImage } from "./engines/engine.ts";
import { ORIGIN_LABEL } from "./images.ts";
import { RECIPE_LABEL } from "./runtimes/recipe.ts";

/** Records that the image is used now, as the modification time of a file named after its digest. */
export async function touchImage(usesDir: string, digest: string): Promise<void> {
  await mkdir(usesDir, { recursive: true, mode: 0o700 });
  await writeFile(join(usesDir, digest.replace("sha256:", "")), "");
}

/**
 * Removes images that came with jobs and runtimes that a newer build has replaced, the longest unused first, until
 * all images that ichain made fit the budget. Keeps current runtimes, images that ichain did not make, images that
 * a container uses, and those in `budget.keep`. Resolves with the removed images.
 */
export async function collectImages(
  engine: Engine,
  { usesDir, instance }: { usesDir: string; instance: string },
  budget: ImageBudget,
  options: AbortOptions = {},
): Promise<EngineImage[]> {
  const managed = (await engine.images(options)).filter((image) => isManaged(image));
  const inUse = new Set((await engine.list({}, options)).map(({ imageId }) => imageId));
  const last = await lastUses(usesDir);
  const used = (image: EngineImage) => last.get(image.digest) ?? image.createdAt;
  const candidates = managed
    .filter((image) => isRemovable(image, instance) && !inUse.has(image.id) && !budget.keep.has(image.digest))
    .sort((a, b) => used(a) - used(b));
  let total = managed.reduce((sum, { bytes }) => sum + bytes, 0);
  const removed: EngineImage[] = [];
  for (const image of candidates) {
    if (total <= budget.bytes) break;
    await engine.removeImage(image, options);
    total -= image.bytes;
    removed.push(image);
  }
  const held = new Set((await engine.images(options)).map(({ digest }) => digest));
  for (const digest of last.keys()) {
    if (!held.has(digest)) await rm(join(usesDir, digest.replace("sha256:", "")), { force: true });
  }
  return removed.filter(({ digest }) => !held.has(digest));
}

function isManaged({ labels }: EngineImage): boolean {
  return labels[ORIGIN_LABEL] !== undefined || (labels[RECIPE_LABEL] ?? "") !== "";
}

/** It came with a job of this instance, or a newer build took over its tag. */
function isRemovable({ labels, tags }: EngineImage, instance: string): boolean {
  return labels[ORIGIN_LABEL] === instance || (labels[ORIGIN_LABEL] === undefined && tags.length === 0);
}

/** When each image was last used, Unix milliseconds by digest. */
async function lastUses(usesDir: string): Promise<Map<string, number>> {
  const names = (await readdir(usesDir).catch(() => [])).filter((name) => /^[0-9a-f]{64}$/.test(name));
  const times = await Promise.all(names.map(async (name) => (await stat(join(usesDir, name))).mtimeMs));
  return new Map(names.map((name, i) => [`sha256:${name}`, times[i]!]));
}
