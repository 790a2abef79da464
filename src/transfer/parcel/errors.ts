import { IchainError, isIchainError } from "../../errors/error.ts";

/** Why a parcel was refused; every one is of class `untrusted`. */
export type ParcelFault =
  | "PARCEL_MALFORMED" // breaks the format
  | "PARCEL_TOO_LARGE" // more files or bytes than the format or the reader allows
  | "PARCEL_UNTRUSTED" // no valid signature by the expected author
  | "PARCEL_CORRUPT"; // wrong key, or bytes that do not hash as signed

export function parcelFault(code: ParcelFault, message: string, cause?: unknown): IchainError {
  return new IchainError(code, message, { cause });
}

/** A file of a kind that a parcel cannot contain. */
export function unsupportedFile(shown: string, kind: string): IchainError {
  return new IchainError(
    "PARCEL_UNSUPPORTED_FILE",
    `${shown} is ${kind}; a parcel contains regular files only.`,
    { details: { path: shown } },
  );
}

/** Runs a check of the user's own paths: a bad one is a file to rename (class `usage`), not an attack. */
export function checkOwn<T>(check: () => T): T {
  try {
    return check();
  } catch (cause) {
    if (!isIchainError(cause, "PARCEL_UNSAFE_PATH")) throw cause;
    const { code, message, details } = cause;
    throw new IchainError(code, message, {
      class: "usage",
      hint: "Paths in a parcel are relative, with plain names in Unicode form C: rename the file or leave it out.",
      details,
    });
  }
}

/** A file that changed after it was listed. */
export function inputChanged(shown: string): IchainError {
  return new IchainError("PARCEL_INPUT_CHANGED", `${shown} changed while it was being packed.`, {
    details: { path: shown },
  });
}

export function inputMissing(shown: string, cause: unknown): IchainError {
  return new IchainError("PARCEL_INPUT_MISSING", `${shown} cannot be read.`, {
    cause,
    details: { path: shown },
  });
}

export function inputTooLarge(what: string): IchainError {
  return new IchainError("PARCEL_INPUT_TOO_LARGE", `There is too much to pack: ${what}.`);
}

export function parcelDiskFull(shown: string, cause?: unknown): IchainError {
  return new IchainError("PARCEL_DISK_FULL", `There is no room left on the disk at ${shown}.`, { cause });
}

/**
 * Throws an error of the file system as an `IchainError`, any other error unchanged.
 * @throws PARCEL_DISK_FULL, PARCEL_IO
 */
export function rethrow(error: unknown): never {
  const { code, syscall, path, dest } = error as NodeJS.ErrnoException & { dest?: string };
  if (!(error instanceof Error) || syscall === undefined || code === undefined) throw error;
  const shown = dest ?? path ?? "the parcel's folder";
  if (code === "ENOSPC" || code === "EDQUOT") throw parcelDiskFull(shown, error);
  throw new IchainError(
    "PARCEL_IO",
    `A file of the parcel cannot be read or written: ${syscall} ${shown}: ${code}.`,
    { cause: error },
  );
}
