import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, readdir, rename, rmdir, unlink } from "node:fs/promises";

const { O_RDONLY, O_NOFOLLOW, O_DIRECTORY } = constants;

/**
 * Deletes all that lies in a task's folder, whatever its shape, and nothing else: every name is looked up
 * in a folder that is held open and no link is followed, so that whoever still moves things about in there
 * cannot lead it out. What lies deeper is first taken to the top: no path is too long for it.
 */
export async function emptyFolder(path: string): Promise<void> {
  const root = await openFolder(path);
  try {
    for (let names = await list(root); names.length > 0; names = await list(root)) {
      for (const name of names) if (!(await unlinked(root, name))) await dissolve(root, name);
    }
  } finally {
    await root.close();
  }
}

/** Removes the folder `name` of `root`; the folders in it come to lie beside it. */
async function dissolve(root: FileHandle, name: Buffer): Promise<void> {
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

/** False when it is a folder. */
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

/** A path that no link on the way can bend; names need not be text. */
function inside(folder: FileHandle, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${folder.fd}/`), name]);
}
