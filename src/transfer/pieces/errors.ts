import { IchainError } from "../../errors/error.ts";
import type { Blob } from "../../ports/transport.ts";
import { PIECE_BYTES } from "../../protocol/limits.ts";

export const blobChanged = (blob: Blob) =>
  new IchainError("TRANSFER_BLOB_CHANGED", `The file ${blob.path} does not match its root.`, {
    details: { path: blob.path, root: blob.root, size: blob.size },
  });

export const forbidden = () => new IchainError("TRANSFER_FORBIDDEN", "The host does not accept our token.");

export const notHosted = () =>
  new IchainError("TRANSFER_NOT_HOSTED", "The host is up but does not serve this parcel.");

export const hostUnreachable = (cause?: unknown) =>
  new IchainError("TRANSFER_UNREACHABLE", "The host cannot be reached.", { cause });

/** `piece`: the first that is still missing, where that is known. */
export const stalled = (cause?: unknown, piece?: number) =>
  new IchainError(
    "TRANSFER_STALLED",
    `The host answers, but ${piece === undefined ? "sends no bytes" : `piece ${piece} does not arrive`}.`,
    { cause, ...(piece === undefined ? {} : { details: { piece, offset: piece * PIECE_BYTES } }) },
  );

export const tooLarge = (size: number, maxBytes: number) =>
  new IchainError("TRANSFER_TOO_LARGE", `The host offers ${size} bytes, more than the ${maxBytes} allowed.`, {
    details: { size, maxBytes },
  });

const about = (piece: number | undefined) => (piece === undefined ? "" : ` about piece ${piece}`);

/** `what`: the rule of the piece protocol that the answer broke, in our words; it never quotes the host. */
export const badAnswer = (what: string, piece?: number, cause?: unknown) =>
  new IchainError(
    "TRANSFER_BAD_ANSWER",
    `The host's answer${about(piece)} breaks the piece protocol: ${what}.`,
    { cause, details: { what, ...(piece === undefined ? {} : { piece, offset: piece * PIECE_BYTES }) } },
  );

export const wrongLeaves = () =>
  new IchainError("TRANSFER_WRONG_LEAVES", "The host's list of piece hashes does not match the blob's root.");

export const corruptPiece = (piece: number) =>
  new IchainError("TRANSFER_CORRUPT_PIECE", `Piece ${piece} was corrupted every time it was received.`, {
    details: { piece, offset: piece * PIECE_BYTES },
  });

export const truncatedPiece = (piece: number) =>
  new IchainError("TRANSFER_TRUNCATED_PIECE", `Piece ${piece} was cut short every time it was requested.`, {
    details: { piece, offset: piece * PIECE_BYTES },
  });

export const diskFailed = (path: string, cause: unknown) =>
  new IchainError("TRANSFER_DISK_FAILED", `Cannot write ${path}.`, { cause });

export const portTaken = (address: string, cause: unknown) =>
  new IchainError("TRANSFER_PORT_TAKEN", `Cannot listen on ${address}.`, { cause });

/** True for an error of the operating system, as of a socket or a file. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
