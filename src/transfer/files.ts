import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/**
 * Writes all of `bytes`, at byte `at` of the file or, when absent, at its current position. One `write` may take only
 * a part when the disk is nearly full; the next one writes the rest or fails with the reason.
 * @throws the file system's error
 */
export async function writeAll(file: FileHandle, bytes: Uint8Array, at?: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const position = at === undefined ? null : at + done;
    done += (await file.write(bytes, done, bytes.length - done, position)).bytesWritten;
  }
}

/** Makes the entries of the folder `path` durable: a rename is on disk only once its folder is. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  await folder.sync();
}
