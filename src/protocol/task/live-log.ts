import { computeHmac, concat, keccak256, toUtf8Bytes } from "ethers";
import { z } from "zod";
import { IchainError } from "../../errors/error.ts";
import type { Hex, JobId } from "../ids.ts";
import { MAX_SEALED_BYTES, PART_CHARS } from "../limits.ts";
import { neutralise } from "../neutralise.ts";

/**
 * The live log sends a task's output to the requester while the task runs (docs/protocol.md, "Live log"): in parts,
 * each sealed to the requester and authenticated with a key that only the two parties can derive.
 */

/** What both parties derive from their shared secret (`Keyring.agree`). */
export interface LiveKeys {
  /** Derives the host's address (`Transport.meetingPoint`). */
  readonly seed: Hex;
  /** The feed's id at that host. */
  readonly id: Hex;
  readonly mac: Hex;
}

/** `purpose` of the agreement of one job. */
export const liveLogPurpose = (jobId: JobId): string => `live-log/${jobId.toLowerCase()}`;

export function liveKeys(secret: Hex): LiveKeys {
  const derive = (label: string) => keccak256(concat([secret, toUtf8Bytes(label)])) as Hex;
  return { seed: derive("seed"), id: derive("id"), mac: derive("mac") };
}

const place = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const partSchema = z.strictObject({
  version: z.literal(1),
  from: place,
  /** Where the next part begins. */
  next: place,
  text: z.string().max(PART_CHARS),
  /** No part follows this one. */
  last: z.boolean(),
  mac: z.string().regex(/^0x[0-9a-f]{64}$/),
});
export type LivePart = Omit<z.infer<typeof partSchema>, "version" | "mac">;

/** The bytes to be sealed. */
export function encodePart(part: LivePart, key: Hex): Uint8Array {
  const { from, next, text, last } = part;
  return toUtf8Bytes(JSON.stringify({ version: 1, from, next, text, last, mac: macOf(part, key) }));
}

/**
 * The part that begins at `from`, with its text neutralised.
 * @throws LOG_UNTRUSTED
 */
export function decodePart(bytes: Uint8Array, from: number, key: Hex): LivePart {
  if (bytes.length > MAX_SEALED_BYTES) throw untrusted();
  const { version: _, mac, ...part } = parse(bytes);
  if (mac !== macOf(part, key) || part.from !== from || part.next < from) throw untrusted();
  // Refuse an empty part that is not the last: the requester would ask for the same part without end.
  if (part.next === from && !part.last) throw untrusted();
  return { ...part, text: neutralise(part.text) };
}

function parse(bytes: Uint8Array): z.infer<typeof partSchema> {
  try {
    return partSchema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw untrusted(cause);
  }
}

function macOf({ from, next, text, last }: LivePart, key: Hex): string {
  return computeHmac("sha256", key, toUtf8Bytes(JSON.stringify([from, next, last, text])));
}

function untrusted(cause?: unknown): IchainError {
  return new IchainError(
    "LOG_UNTRUSTED",
    "A part of the live log does not come from the provider, or is not the one that was asked for.",
    { cause },
  );
}
