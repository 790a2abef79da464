import { decodeBase64, encodeBase64, keccak256 } from "ethers";
import { z } from "zod";
import { fromHex, toHex } from "../bytes.ts";
import type { Hex } from "../ids.ts";
import { neutralise } from "../neutralise.ts";
import type { Campaign } from "./campaign.ts";

/** What contributors are told, in the opening's description; its hash is in the terms. */
export interface Brief {
  readonly name: string;
  /** What a row is, and by which rules one is wrong. */
  readonly about: string;
  /** Onion keys (32 bytes each) of those that can read the rows, the owner's first; undefined: everybody can. */
  readonly readers?: readonly Hex[] | undefined;
}

/** Of the description, as `DataCampaign.open` bounds it. */
export const MAX_BRIEF_BYTES = 1024;

/** Readers that a private campaign names beside its owner: their keys leave room for the rest of the brief. */
export const MAX_READERS = 8;

const open = { name: z.string().max(64), about: z.string().max(MAX_BRIEF_BYTES) };
const key = z.string().regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/);

/** Version 2 is a private campaign: who knows version 1 only must not add rows for everybody to read. */
const briefSchema = z.discriminatedUnion("version", [
  z.object({ version: z.literal(1), ...open }),
  z.object({
    version: z.literal(2),
    ...open,
    readers: z
      .array(key)
      .min(1)
      .max(1 + MAX_READERS),
  }),
]);

/** The description, and what of it the terms have as `specHash`. */
export function encodeBrief({ name, about, readers }: Brief): {
  readonly description: Hex;
  readonly specHash: Hex;
} {
  const content =
    readers === undefined
      ? { version: 1, name, about }
      : { version: 2, name, about, readers: readers.map(encodeBase64) };
  const description = toHex(new TextEncoder().encode(JSON.stringify(content)));
  return { description, specHash: keccak256(description) as Hex };
}

/** What a campaign's owner tells; undefined where it is not what the terms have the hash of, or of no form known here. */
export function briefOf({ terms, description }: Pick<Campaign, "terms" | "description">): Brief | undefined {
  if (keccak256(description) !== terms.specHash) return undefined;
  try {
    const brief = briefSchema.parse(JSON.parse(new TextDecoder().decode(fromHex(description))));
    return {
      name: neutralise(brief.name),
      about: neutralise(brief.about),
      ...(brief.version === 2 && { readers: brief.readers.map((one) => toHex(decodeBase64(one))) }),
    };
  } catch {
    return undefined;
  }
}
