import { IchainError } from "../../errors.ts";

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
