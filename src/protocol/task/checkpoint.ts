import { computeHmac, concat, keccak256, toUtf8Bytes } from "ethers";
import { z } from "zod";
import { IchainError } from "../../errors/error.ts";
import type { Hex } from "../ids.ts";
import { MAX_SEALED_BYTES } from "../limits.ts";

/**
 * A task leaves checkpoints as folders with a number for a name in /out/checkpoint; each is complete when it has that
 * name, so that a task writes it under another one and renames it. A job that goes on elsewhere finds the newest below
 * /in/checkpoint, under the same number (docs/protocol.md, "Checkpoints").
 */
export const CHECKPOINT_FOLDER = "checkpoint";

/** Files and folders in one checkpoint. */
export const CHECKPOINT_FILES = 1000;

/** The number that a folder's name says; undefined for the name of anything else. */
export function checkpointNumber(name: string): number | undefined {
  return /^(0|[1-9]\d{0,14})$/.test(name) ? Number(name) : undefined;
}

/** Why a checkpoint was not taken; codes of the catalogue. */
export const checkpointRefusals = ["CHECKPOINT_TOO_LARGE", "CHECKPOINT_UNSAFE"] as const;
export type CheckpointRefusal = (typeof checkpointRefusals)[number];

/** What a provider says of the newest checkpoint: the parcel that holds it, or why there is none. */
export type Announcement =
  | { readonly number: number; readonly root: Hex; readonly size: number }
  | { readonly number: number; readonly refused: CheckpointRefusal };

/** What both parties derive for the checkpoints of one job, from the secret of its live log. */
export interface CheckpointKeys {
  /** Id of the feed of announcements. */
  readonly id: Hex;
  readonly mac: Hex;
  /** The session key of the parcel with that checkpoint. */
  parcelKey(number: number): Hex;
}

export function checkpointKeys(secret: Hex): CheckpointKeys {
  const derive = (label: string) => keccak256(concat([secret, toUtf8Bytes(label)])) as Hex;
  return {
    id: derive("checkpoints"),
    mac: derive("checkpoints/mac"),
    parcelKey: (number) => derive(`checkpoints/parcel/${number}`),
  };
}

const number = z.number().int().nonnegative().lt(1e15);
const mac = z.string().regex(/^0x[0-9a-f]{64}$/);
const announcementSchema = z.union([
  z.strictObject({
    version: z.literal(1),
    number,
    root: z.string().regex(/^0x[0-9a-f]{64}$/) as z.ZodType<Hex>,
    size: z.number().int().positive().max(Number.MAX_SAFE_INTEGER),
    mac,
  }),
  z.strictObject({ version: z.literal(1), number, refused: z.enum(checkpointRefusals), mac }),
]);

/** The bytes to be sealed. */
export function encodeAnnouncement(announcement: Announcement, key: Hex): Uint8Array {
  return toUtf8Bytes(JSON.stringify({ version: 1, ...announcement, mac: macOf(announcement, key) }));
}

/**
 * The announcement of a checkpoint with at least the number `from`.
 * @throws CHECKPOINT_UNTRUSTED
 */
export function decodeAnnouncement(bytes: Uint8Array, from: number, key: Hex): Announcement {
  if (bytes.length > MAX_SEALED_BYTES) throw untrustedCheckpoint();
  const { version: _, mac: said, ...announcement } = parse(bytes);
  if (said !== macOf(announcement, key) || announcement.number < from) throw untrustedCheckpoint();
  return announcement;
}

export function untrustedCheckpoint(cause?: unknown): IchainError {
  return new IchainError(
    "CHECKPOINT_UNTRUSTED",
    "A checkpoint does not come from the provider, or is not what the job allows.",
    { cause },
  );
}

function parse(bytes: Uint8Array): z.infer<typeof announcementSchema> {
  try {
    return announcementSchema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw untrustedCheckpoint(cause);
  }
}

function macOf(announcement: Announcement, key: Hex): string {
  const { number: at } = announcement;
  const said = "refused" in announcement ? [announcement.refused] : [announcement.root, announcement.size];
  return computeHmac("sha256", key, toUtf8Bytes(JSON.stringify([at, ...said])));
}
