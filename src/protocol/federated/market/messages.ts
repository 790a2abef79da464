import { z } from "zod";
import type { Hex } from "../../ids.ts";
import { uploadSchema } from "../ledger/record.ts";

/** What requester and providers of a federated job tell each other, sealed, over the hosts that stay up for the job. */

const hex = (digits: number) =>
  z.string().regex(new RegExp(`^0x[0-9a-f]{${digits}}$`)) as unknown as z.ZodType<Hex>;

/** A parcel that the sender hosts. */
const parcelSchema = z.strictObject({
  root: hex(64),
  key: hex(64),
  /** Of the encrypted parcel. */
  bytes: z
    .number()
    .int()
    .min(1)
    .max(2 ** 50),
});
export type HostedParcel = z.infer<typeof parcelSchema>;

/** Requester → provider, in the provider's feed: a round is open, or the job is over. */
export const roundMessageSchema = z.strictObject({
  /** From 1; one more than were closed. */
  round: z.number().int().min(1).max(10_001),
  /** The lines of the round before in the job's ledger: what it was made of, and what everyone has earned. */
  ledger: z
    .array(z.string().max(1 << 16))
    .max(65)
    .default([]),
  /** Absent when the job is over. */
  work: z
    .strictObject({
      model: parcelSchema,
      /** Absent where it trains on data of its own. */
      part: parcelSchema.optional(),
      /** Unix seconds: what is sent later may be left out. */
      sendBy: z
        .number()
        .int()
        .min(0)
        .max(2 ** 40),
    })
    .optional(),
});
export type RoundMessage = z.infer<typeof roundMessageSchema>;

/** Provider → requester, as a notice about the bundle: an update is made, and hosted at this address. */
export const updateMessageSchema = z.strictObject({
  upload: uploadSchema,
  signature: hex(130),
  transport: z.enum(["onion", "direct"]),
  address: z.string().min(3).max(128),
  parcel: parcelSchema,
});
export type UpdateMessage = z.infer<typeof updateMessageSchema>;
