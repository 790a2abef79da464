import { z } from "zod";
import { blockSchema, confirmationSchema } from "../records/block.ts";
import { digestField } from "../records/encoding.ts";
import { LONGEST_TTL, MOST_BLOCK_RECEIPTS } from "../records/limits.ts";
import { witnessedSchema } from "../records/transaction.ts";

/** What neighbours tell each other. Models travel beside, on request, by their digests. */
export const gossipMessageSchema = z.discriminatedUnion("kind", [
  /** A transaction, new or with receipts that are new. */
  z.strictObject({ kind: z.literal("transaction"), witnessed: witnessedSchema }),
  /** A block to confirm; `hops`: how many more peers in a row may see it, this one included. */
  z.strictObject({
    kind: z.literal("draft"),
    block: blockSchema,
    hops: z.number().int().min(1).max(LONGEST_TTL),
  }),
  /** On their way back to the block's creator. */
  z.strictObject({
    kind: z.literal("confirmations"),
    block: digestField,
    confirmations: z.array(confirmationSchema).min(1).max(MOST_BLOCK_RECEIPTS),
  }),
]);
export type GossipMessage = z.output<typeof gossipMessageSchema>;

/** Signatures that a message has its reader check at most, and one for the reading: what it costs of a quota. */
export function checksOf(message: GossipMessage): number {
  if (message.kind === "confirmations") return 1 + message.confirmations.length;
  const transactions = message.kind === "draft" ? message.block.transactions : [message.witnessed];
  return transactions.reduce((sum, { receipts }) => sum + 1 + receipts.length, 2);
}
