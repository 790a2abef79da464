import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { toHex } from "../../../protocol/bytes.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { quotePath } from "../../../protocol/paths.ts";
import { inputChanged, inputMissing } from "../errors.ts";
import { type InputFile, stampOf } from "./walk.ts";

/** Opens a listed file for reading, if it still is what was listed; `PARCEL_INPUT_CHANGED` otherwise. */
export async function openInput(file: InputFile): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    // Not through a link, and not hanging on a FIFO that took the file's place.
    handle = await open(file.absolute, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw inputMissing(quotePath(file.path), cause);
  }
  try {
    await checkUnchanged(handle, file);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Throws `PARCEL_INPUT_CHANGED` unless the open file is as it was when it was listed. */
export async function checkUnchanged(handle: FileHandle, file: InputFile): Promise<void> {
  if (stampOf(await handle.stat({ bigint: true })) !== file.stamp) throw inputChanged(quotePath(file.path));
}

/** SHA-256 of a listed file. */
export async function hashInput(
  file: InputFile,
  options: { signal?: AbortSignal | undefined },
): Promise<Hex> {
  const hash = createHash("sha256");
  const handle = await openInput(file);
  try {
    const buffer = Buffer.allocUnsafe(Math.min(file.size, 1 << 20));
    for (let left = file.size; left > 0; ) {
      options.signal?.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, left));
      if (bytesRead === 0) throw inputChanged(quotePath(file.path));
      hash.update(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
    await checkUnchanged(handle, file);
    return toHex(hash.digest());
  } finally {
    await handle.close();
  }
}
