import { z } from "zod";
import { LONGEST_LIFE, LONGEST_TTL, MOST_TRANSACTIONS } from "./records/limits.ts";

const seconds = (most: number) => z.number().int().min(1).max(most);

/** How a peer behaves; what all peers of a network must hold to is in `records/limits.ts`. */
export const gossipSettingsSchema = z.strictObject({
  rule: z
    .string()
    .min(1)
    .max(1024)
    .default("distance-gate")
    .describe("How models are averaged: a name, or the path of a module (docs/gossip.md)"),
  buffer: z.number().int().min(1).max(64).default(4).describe("Received models that are averaged at once"),
  ttl: z.number().int().min(1).max(LONGEST_TTL).default(1).describe("How far a transaction goes"),
  expire: seconds(LONGEST_LIFE).default(60).describe("A transaction's life, seconds"),
  transactions: z
    .number()
    .int()
    .min(1)
    .max(MOST_TRANSACTIONS)
    .default(12)
    .describe("Own transactions in a block"),
  patience: seconds(600)
    .default(10)
    .describe("How long a draft that has enough confirmations waits for the others, seconds"),
  resend: seconds(600).default(30).describe("Between two sendings of a draft, seconds"),
  pending: z
    .number()
    .int()
    .min(1)
    .max(64)
    .default(8)
    .describe("Models of one neighbour that wait for their measurement; more are passed over"),
  quota: z
    .number()
    .int()
    .min(60)
    .max(1_000_000)
    .default(3000)
    .describe("Signatures that one neighbour may have checked in a minute"),
});
export type GossipSettings = z.output<typeof gossipSettingsSchema>;
