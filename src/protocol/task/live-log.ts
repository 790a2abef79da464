import { computeHmac, concat, keccak256, toUtf8Bytes } from "ethers";
import { z } from "zod";
import { IchainError } from "../../errors/error.ts";
import type { Hex, JobId } from "../ids.ts";
import { MAX_SEALED_BYTES, PART_CHARS } from "../limits.ts";
import { neutralise } from "../neutralise.ts";

/**
 * A task's output on its way to the requester while the task runs (docs/protocol.md, "Live log"): read in
 * parts, each sealed to the requester and authenticated with a key that only the two sides can derive.
 */

/** What both sides derive from the secret that they share (`Keyring.agree`). */
export interface LiveKeys {
  /** Where they meet (`Transport.meetingPoint`). */
  readonly seed: Hex;
  /** The feed's name there. */
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
  /** Nothing comes after this part. */
  last: z.boolean(),
  mac: z.string().regex(/^0x[0-9a-f]{64}$/),
});
export type LivePart = Omit<z.infer<typeof partSchema>, "version" | "mac">;

/** The bytes to be sealed. */
export function encodePart(part: LivePart, key: Hex): Uint8Array {
  const { from, next, text, last } = part;
  return toUtf8Bytes(JSON.stringify({ version: 1, from, next, text, last, mac: macOf(part, key) }));
}

/** The part that begins at `from`, its text made harmless; throws `LOG_UNTRUSTED`, class `untrusted`. */
export function decodePart(bytes: Uint8Array, from: number, key: Hex): LivePart {
  if (bytes.length > MAX_SEALED_BYTES) throw untrusted();
  const { version: _, mac, ...part } = parse(bytes);
  if (mac !== macOf(part, key) || part.from !== from || part.next < from) throw untrusted();
  // Who is asked for more of a log that goes on and answers with nothing new would be asked for ever.
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
    "A part of the live log is not what the provider sent for this place.",
    { cause },
  );
}
