import type { FileHandle } from "node:fs/promises";

/** Writes all of `bytes` at `at`. What a disk that is nearly full did not take at once, it takes now or says why not. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
}
