import { keccak256 } from "ethers";
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
}

/** Of the description, as `DataCampaign.open` bounds it. */
export const MAX_BRIEF_BYTES = 1024;

const briefSchema = z.object({
  version: z.literal(1),
  name: z.string().max(64),
  about: z.string().max(MAX_BRIEF_BYTES),
});

/** The description, and what of it the terms have as `specHash`. */
export function encodeBrief({ name, about }: Brief): { readonly description: Hex; readonly specHash: Hex } {
  const description = toHex(new TextEncoder().encode(JSON.stringify({ version: 1, name, about })));
  return { description, specHash: keccak256(description) as Hex };
}

/** What a campaign's owner tells; undefined where it is not what the terms have the hash of, or of no form known here. */
export function briefOf({ terms, description }: Pick<Campaign, "terms" | "description">): Brief | undefined {
  if (keccak256(description) !== terms.specHash) return undefined;
  try {
    const { name, about } = briefSchema.parse(JSON.parse(new TextDecoder().decode(fromHex(description))));
    return { name: neutralise(name), about: neutralise(about) };
  } catch {
    return undefined;
  }
}
