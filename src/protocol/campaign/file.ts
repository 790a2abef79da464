import { z } from "zod";
import { coinSchema, durationSchema } from "../quantity.ts";
import { MAX_READERS } from "./brief.ts";

const count = z.number().int();
const window = durationSchema.pipe(z.number().min(300).max(16_777_215));

/** The block `campaign`: the terms of a campaign; sums in coin, or in its token. */
const campaignBlock = z
  .strictObject({
    deposit: coinSchema.describe("Least deposit for a row"),
    price: coinSchema.default(0n).describe("Paid for each accepted row"),
    reward: coinSchema.default(0n).describe("Paid from a row's price to whom corrects it"),
    bond: coinSchema.describe("Paid with a fix, lost when it is false"),
    fee: coinSchema.default(0n).describe("Of each of the three members of a panel"),
    rows: count.min(1).max(100_000).describe("Most rows"),
    capacity: count
      .min(1)
      .max(1_000_000)
      .describe("Rows within one `fixWindow` that double the deposit of the next"),
    fixWindow: window.prefault("1d").describe("How long after it was added a row can be fixed"),
    stepWindow: window.prefault("2h").describe("To judge, to appeal, to draw, to commit and to reveal, each"),
  })
  .refine(({ reward, price }) => reward <= price, { path: ["reward"], message: "must be at most the price" })
  .refine(({ deposit, bond, fee }) => deposit >= 3n * fee && bond >= 3n * fee, {
    path: ["fee"],
    message: "deposit and bond must be at least three fees",
  });

/** What `campaign.yaml` begins with, whatever it is for. */
export const campaignHead = {
  version: z.literal(1).describe("Version of this format"),
  name: z.string().min(1).max(64),
  campaign: campaignBlock,
};

/** The block `collection`: how a campaign is opened on a chain. */
export const collectionSchema = z.strictObject({
  about: z.string().min(1).max(900).describe("What a row is, and by which rules one is wrong"),
  closes: durationSchema
    .pipe(
      z
        .number()
        .min(60)
        .max(365 * 86_400),
    )
    .prefault("7d")
    .describe("How long after the opening rows can be added"),
  token: z
    .string()
    .min(1)
    .max(64)
    .default("coin")
    .describe("What is paid in: `coin`, a token of the network, or its address"),
  hidden: z
    .strictObject({
      rows: z.string().min(1).max(1024).describe("Text, a row a line; beside this file"),
      slices: count.min(1).max(32).default(4),
    })
    .optional()
    .describe("The hidden test set, shown slice by slice"),
  private: z
    .strictObject({
      readers: z
        .array(z.string().regex(/^0x[0-9a-f]{64}$/, "must be a key as `ichain data key` prints it"))
        .max(MAX_READERS)
        .default([])
        .describe("Keys of those that can read the rows beside the owner, as `ichain data key` prints them"),
    })
    .optional()
    .describe("Rows travel sealed, for the owner and these readers alone"),
});

/** `campaign.yaml` as `ichain data open` reads it; what it is simulated with is left aside. */
export const campaignFileSchema = z.strictObject({
  ...campaignHead,
  collection: collectionSchema,
  simulation: z.unknown().optional(),
});
export type CampaignFile = z.output<typeof campaignFileSchema>;
