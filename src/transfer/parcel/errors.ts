import { IchainError, isIchainError } from "../../errors/error.ts";

const BAD_PARCEL = "Do not use this parcel; fetch it again, and if it stays bad, its author made it so.";

/** Why a parcel was refused: every such error is class `untrusted`. */
export type ParcelFault =
  | "PARCEL_MALFORMED" // not laid out as the format says
  | "PARCEL_TOO_LARGE" // more files or bytes than the format or the reader allows
  | "PARCEL_UNTRUSTED" // no valid signature by the expected author
  | "PARCEL_CORRUPT"; // wrong key, or bytes that do not hash as signed

export function parcelFault(code: ParcelFault, message: string, cause?: unknown): IchainError {
  return new IchainError(message, { code, class: "untrusted", hint: BAD_PARCEL, cause });
}

/** Something in the folder that a parcel cannot carry. */
export function unsupportedFile(shown: string, kind: string): IchainError {
  return new IchainError(`${shown} is ${kind}; a parcel carries regular files only.`, {
    code: "PARCEL_UNSUPPORTED_FILE",
    class: "usage",
    hint: "Replace it by a copy of the file, or leave it out of the paths to pack.",
    details: { path: shown },
  });
}

/** Runs a check of paths that are the person's own: a bad one is a file to rename, not an attack. */
export function checkOwn<T>(check: () => T): T {
  try {
    return check();
  } catch (cause) {
    if (!isIchainError(cause, "PARCEL_UNSAFE_PATH")) throw cause;
    const { code, message, details } = cause;
    throw new IchainError(message, {
      code,
      class: "usage",
      hint: "Parcels carry relative paths with plain names in Unicode form C: rename the file or leave it out.",
      details,
    });
  }
}

/** A file that was written to while it was read. */
export function inputChanged(shown: string): IchainError {
  return new IchainError(`${shown} changed while it was being packed.`, {
    code: "PARCEL_INPUT_CHANGED",
    class: "usage",
    hint: "Let whatever writes to it finish, then pack again.",
    retryable: true,
    details: { path: shown },
  });
}

export function inputMissing(shown: string, cause: unknown): IchainError {
  return new IchainError(`${shown} cannot be read.`, {
    code: "PARCEL_INPUT_MISSING",
    class: "usage",
    hint: "Check that the file exists below the folder and that you may read it.",
    cause,
    details: { path: shown },
  });
}

export function inputTooLarge(what: string): IchainError {
  return new IchainError(`There is too much to pack: ${what}.`, {
    code: "PARCEL_INPUT_TOO_LARGE",
    class: "usage",
    hint: "Pack fewer files, or put many small ones into an archive first.",
  });
}

export function parcelDiskFull(shown: string, cause?: unknown): IchainError {
  return new IchainError(`There is no room left on the disk at ${shown}.`, {
    code: "PARCEL_DISK_FULL",
    class: "unavailable",
    hint: "Free some space or choose another disk, then run the same command again.",
    retryable: true,
    cause,
  });
}

/** What the file system said, as an `IchainError`; anything else is thrown on as it is. */
export function rethrow(error: unknown): never {
  const { code, syscall, path, dest } = error as NodeJS.ErrnoException & { dest?: string };
  if (!(error instanceof Error) || syscall === undefined || code === undefined) throw error;
  const shown = dest ?? path ?? "the parcel's folder";
  if (code === "ENOSPC" || code === "EDQUOT") throw parcelDiskFull(shown, error);
  throw new IchainError(`A file of the parcel cannot be read or written: ${syscall} ${shown}: ${code}.`, {
    code: "PARCEL_IO",
    class: "unavailable",
    hint: "Check that the folder exists, that you may write there, and that the disk is well.",
    cause: error,
  });
}
