import { mkdir, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { IchainError, isIchainError } from "../../errors/error.ts";

/**
 * Throws `DISK_TOO_FULL`, class `refused`, unless a parcel of `bytes` can be fetched to `path` and opened beside it:
 * better not to begin than to fill a disk that the journal and other jobs share.
 */
export async function requireRoom(path: string, bytes: number): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { bavail, bsize } = await statfs(folder);
  const here = await Promise.all([path, `${path}.part`].map(allocated)); // by a try that was cut off
  if (bavail * bsize + Math.max(...here) < bytes * 2) throw diskTooFull();
}

/** `DISK_TOO_FULL` for what ran out of room all the same; any other error as it is. */
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
  return new IchainError("There is no room on the disk for the job's parcel and what is in it.", {
    code: "DISK_TOO_FULL",
    class: "refused",
    hint: "Free some space, move the home folder to a larger disk, or lower maxBundle in the policy.",
    details: { why: "there is no room for it here" },
    cause,
  });
}
