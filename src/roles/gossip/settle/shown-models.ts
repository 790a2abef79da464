import { copyFile, mkdir, readdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";

/**
 * Keeps a model that this peer showed, to be handed to a pool later, beside earlier ones: `most` bytes of them, the oldest
 * give way. Disk beyond that is never taken; 0 keeps none.
 */
export async function keepShown(folder: string, model: string, most: number): Promise<void> {
  const { size } = await stat(model);
  if (size > most) return;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const kept = await Promise.all(
    (await readdir(folder)).map(async (name) => {
      const { mtimeMs, size: bytes } = await stat(join(folder, name));
      return { name, mtimeMs, bytes };
    }),
  );
  let room = most - size;
  for (const { name, bytes } of kept.toSorted((a, b) => b.mtimeMs - a.mtimeMs)) {
    room -= bytes;
    if (room < 0) await rm(join(folder, name), { force: true });
  }
  await copyFile(model, join(folder, basename(model)));
}
