import type { Windows } from "./job/terms.ts";

/**
 * Bounds of the protocol: what a party accepts from another, whatever its own policy. Bytes unless a name or comment
 * says otherwise.
 */

/** Ciphertext that one Merkle leaf covers; the last piece of a blob may be shorter. */
export const PIECE_BYTES = 1 << 18;

/** Files in one parcel. */
export const MAX_FILES = 100_000;
/** Of one parcel's files together: 1 TiB. */
export const MAX_PARCEL_BYTES = 2 ** 40;
/** Of a file's path in a parcel, in UTF-8. */
export const MAX_PATH_BYTES = 1024;
/** Of one name in a path, in UTF-8: what common file systems hold. */
export const MAX_SEGMENT_BYTES = 255;
/** Folders deep, so that a manifest cannot make a reader create millions of folders. */
export const MAX_DEPTH = 32;

/** Of a run report, encrypted or opened: `report.json`, `log.txt` and their framing. */
export const MAX_REPORT_BYTES = 16 << 20;
export const REPORT_FILES = 2;

/** Upper bound of an encrypted parcel whose files take `fileBytes`: names, framing and encryption come on top. */
export function parcelBytes(fileBytes: number): number {
  return fileBytes + Math.ceil(fileBytes / 16) + (16 << 20);
}

/** A message that is sealed to one reader, before encryption. */
export const MAX_SEALED_BYTES = 1 << 16;
/** Of a locator, before it is sealed: it is stored on the chain, where each byte costs gas. */
export const MAX_LOCATOR_BYTES = 1024;
/** Of one part of a feed, sealed: `MAX_SEALED_BYTES` and what OpenPGP adds. */
export const FEED_PART_BYTES = 68 << 10;
/** Of a notice that a reader leaves with a host, sealed. */
export const NOTICE_MAX_BYTES = FEED_PART_BYTES;
/** UTF-16 units of text in one part of a live log: at three bytes each the part still fits a sealed message. */
export const PART_CHARS = 16_384;
/** UTF-16 units of one job's live log that a requester keeps: it is written to disk before the job is paid for. */
export const MAX_LIVE_LOG_CHARS = 4 << 20;

/** Shortest windows that the contract accepts, seconds (`contracts/libraries/Schedule.sol`). */
export const contractWindows: Windows = {
  run: 60,
  appoint: 300,
  commit: 300,
  reveal: 300,
  claim: 300,
  challenge: 300,
  appeal: 300,
};
/** Longest window, seconds: what its 24 bits on the chain hold. */
export const MAX_WINDOW_SECONDS = 2 ** 24 - 1;

/** Of a task's command, with a byte after each word. */
export const MAX_COMMAND_BYTES = 1 << 16;
/** The least that a task can start with; an engine refuses or kills a task below these. */
export const leastTask = {
  cpus: 0.01,
  memoryBytes: 16 << 20,
  diskBytes: 1 << 16,
  wallSeconds: 1,
  pids: 4,
  logBytes: 1 << 12,
} as const;

/** Of the sealed end of a log that `release` carries (`EscrowStorage.MAX_LOG_BYTES`). */
export const MAX_LOG_END_BYTES = 1024;
