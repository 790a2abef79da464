import { mkdir, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { IchainError, isIchainError } from "../../errors/error.ts";

/**
 * Checks that the disk holds a parcel of `bytes`, fetched to `path`, and its files beside it: a fetch that fills the
 * disk would also stop the journal and other jobs. What an interrupted fetch has already written counts as free.
 * @throws DISK_TOO_FULL
 */
export async function requireRoom(path: string, bytes: number): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { bavail, bsize } = await statfs(folder);
  const fetched = await Promise.all([path, `${path}.part`].map(allocated));
  if (bavail * bsize + Math.max(...fetched) < bytes * 2) throw diskTooFull();
}

/** `DISK_TOO_FULL` for an error of a disk that became full after `requireRoom`; any other error unchanged. */
export function asTooFull(error: unknown): unknown {
  const full = isIchainError(error, "TRANSFER_DISK_FAILED") || isIchainError(error, "PARCEL_DISK_FULL");
  return full || (error as NodeJS.ErrnoException).code === "ENOSPC" ? diskTooFull(error) : error;
}

async function allocated(path: string): Promise<number> {
  return stat(path).then(
    ({ blocks }) => blocks * 512,
    () => 0,
  );
}

function diskTooFull(cause?: unknown): IchainError {
  return new IchainError(
    "DISK_TOO_FULL",
    "There is no room on the disk for the job's parcel and what is in it.",
    { details: { why: "there is no room for it here" }, cause },
  );
}
