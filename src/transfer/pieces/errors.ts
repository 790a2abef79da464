import { IchainError } from "../../errors/error.ts";
import type { Blob } from "../../ports/transport.ts";
import { PIECE_BYTES } from "../../protocol/limits.ts";

const ASK_AGAIN = "Run the same command again later; what is verified is kept and not fetched again.";
const BLAME_HOST = "The host serves something else than it promised; do not trust it with this job.";

export const blobChanged = (blob: Blob) =>
  new IchainError(`The file ${blob.path} is not the blob that its root promises.`, {
    code: "TRANSFER_BLOB_CHANGED",
    class: "failed",
    hint: "The file was changed or cut after it was packed: pack it again.",
    details: { path: blob.path, root: blob.root, size: blob.size },
  });

export const forbidden = () =>
  new IchainError("The host does not accept our token.", {
    code: "TRANSFER_FORBIDDEN",
    class: "refused",
    hint: "The locator is not for this hosting any more; ask the other side for a new one.",
  });

export const notHosted = () =>
  new IchainError("The host is up but does not serve this parcel.", {
    code: "TRANSFER_NOT_HOSTED",
    class: "unavailable",
    hint: "The host has taken it down or has not put it up yet; try again later.",
    retryable: true,
  });

export const hostUnreachable = (cause?: unknown) =>
  new IchainError("The host cannot be reached.", {
    code: "TRANSFER_UNREACHABLE",
    class: "unavailable",
    hint: ASK_AGAIN,
    retryable: true,
    cause,
  });

/** `piece`: the first that is still missing, where that is known. */
export const stalled = (cause?: unknown, piece?: number) =>
  new IchainError(
    `The host answers, but ${piece === undefined ? "no bytes come" : `piece ${piece} does not come`}.`,
    {
      code: "TRANSFER_STALLED",
      class: "unavailable",
      hint: ASK_AGAIN,
      retryable: true,
      cause,
      ...(piece === undefined ? {} : { details: { piece, offset: piece * PIECE_BYTES } }),
    },
  );

export const tooLarge = (size: number, maxBytes: number) =>
  new IchainError(`The host offers ${size} bytes, more than the ${maxBytes} that were agreed.`, {
    code: "TRANSFER_TOO_LARGE",
    class: "untrusted",
    hint: BLAME_HOST,
    details: { size, maxBytes },
  });

const about = (piece: number | undefined) => (piece === undefined ? "" : ` about piece ${piece}`);

/** `what` says which rule of the piece protocol the answer broke; it never quotes the host. */
export const badAnswer = (what: string, piece?: number, cause?: unknown) =>
  new IchainError(`The host's answer${about(piece)} breaks the piece protocol: ${what}.`, {
    code: "TRANSFER_BAD_ANSWER",
    class: "untrusted",
    hint: BLAME_HOST,
    cause,
    details: { what, ...(piece === undefined ? {} : { piece, offset: piece * PIECE_BYTES }) },
  });

export const wrongLeaves = () =>
  new IchainError("The host's list of piece hashes does not belong to the blob's root.", {
    code: "TRANSFER_WRONG_LEAVES",
    class: "untrusted",
    hint: BLAME_HOST,
  });

export const corruptPiece = (piece: number) =>
  new IchainError(`Piece ${piece} came corrupted again and again.`, {
    code: "TRANSFER_CORRUPT_PIECE",
    class: "untrusted",
    hint: BLAME_HOST,
    details: { piece, offset: piece * PIECE_BYTES },
  });

export const truncatedPiece = (piece: number) =>
  new IchainError(`Piece ${piece} broke off again and again.`, {
    code: "TRANSFER_TRUNCATED_PIECE",
    class: "unavailable",
    hint: ASK_AGAIN,
    retryable: true,
    details: { piece, offset: piece * PIECE_BYTES },
  });

export const diskFailed = (path: string, cause: unknown) =>
  new IchainError(`Cannot write ${path}.`, {
    code: "TRANSFER_DISK_FAILED",
    class: "config",
    hint: "Check that the folder exists, is ours, and has room; what is verified is kept.",
    retryable: true,
    cause,
  });

export const portTaken = (address: string, cause: unknown) =>
  new IchainError(`Cannot listen on ${address}.`, {
    code: "TRANSFER_PORT_TAKEN",
    class: "unavailable",
    hint: "Another process listens there: stop it, or host the parcel under a new identity.",
    retryable: true,
    cause,
  });
