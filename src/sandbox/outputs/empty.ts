import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, readdir, rename, rmdir, unlink } from "node:fs/promises";

const { O_RDONLY, O_NOFOLLOW, O_DIRECTORY } = constants;

/**
 * Deletes everything in a task's folder and nothing else. Every name is looked up in a folder that is held open
 * (`/proc/self/fd`) and no link is followed, so that a process that renames folders meanwhile cannot make it delete
 * files elsewhere. Nested folders are first moved to the top, because a tree can be deeper than a path can name.
 */
export async function emptyFolder(path: string): Promise<void> {
  const root = await openFolder(path);
  try {
    for (let names = await list(root); names.length > 0; names = await list(root)) {
      for (const name of names) if (!(await unlinked(root, name))) await removeLevel(root, name);
    }
  } finally {
    await root.close();
  }
}

/** Removes the folder `name` of `root`, after it has moved the folders in it into `root`. */
async function removeLevel(root: FileHandle, name: Buffer): Promise<void> {
  const folder = await openFolder(inside(root, name));
  try {
    for (const child of await list(folder)) {
      if (await unlinked(folder, child)) continue;
      await rename(inside(folder, child), inside(root, Buffer.from(randomUUID())));
    }
  } finally {
    await folder.close();
  }
  await rmdir(inside(root, name));
}

/** Deletes what is not a folder; false when it is one. */
async function unlinked(folder: FileHandle, name: Buffer): Promise<boolean> {
  try {
    await unlink(inside(folder, name));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EISDIR") return false;
    throw error;
  }
}

function openFolder(path: string | Buffer): Promise<FileHandle> {
  return open(path, O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
}

function list(folder: FileHandle): Promise<Buffer[]> {
  return readdir(`/proc/self/fd/${folder.fd}`, { encoding: "buffer" });
}

/** A path through the open folder, which no link can redirect. As bytes, because a name need not be UTF-8. */
function inside(folder: FileHandle, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${folder.fd}/`), name]);
}
