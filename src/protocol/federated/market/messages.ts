import { z } from "zod";
import type { Address, Hex } from "../../ids.ts";
import { uploadSchema } from "../ledger/record.ts";

/** What requester and providers of a federated job tell each other, sealed, over the hosts that stay up for the job. */

export const hex = (digits: number) =>
  z.string().regex(new RegExp(`^0x[0-9a-f]{${digits}}$`)) as unknown as z.ZodType<Hex>;

/** A parcel that the sender hosts. */
export const parcelSchema = z.strictObject({
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

export const account = z.string().regex(/^0x[0-9a-fA-F]{40}$/) as unknown as z.ZodType<Address>;
const address = z.string().min(3).max(128);
const transport = z.enum(["onion", "direct"]);

/** A seat and its host, whose token each reader derives from its channel with the seat. */
export const seatPlaceSchema = z.strictObject({ account, transport, address });
export type SeatPlace = z.infer<typeof seatPlaceSchema>;

/** Requester or seat → provider, in the provider's feed: a round is open, or the job is over. A seat tells requester and seats too. */
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
      /** Of this provider; absent where it trains on data of its own, and from a seat: the requester has given each its own. */
      part: parcelSchema.optional(),
      /** Unix seconds: what is sent later may be left out. */
      sendBy: z
        .number()
        .int()
        .min(0)
        .max(2 ** 40),
    })
    .optional(),
  /** From the requester, in the first round: the seats, which tell of all others. */
  seats: z.array(seatPlaceSchema).max(7).optional(),
  /** From a seat, about the round before. */
  last: z
    .strictObject({
      /** The model that it ended with. */
      model: parcelSchema,
      /** Accuracy and loss that it began with; absent where no update came. */
      before: z.strictObject({ acc: z.number().min(0).max(1), loss: z.number() }).optional(),
      /** Of the parcels of its updates. */
      bytes: z.array(z.tuple([account, z.number().int().min(0)])).max(64),
      /** To other seats: what the strategy remembers. */
      memory: z.record(z.string().max(64), z.array(z.number()).max(16)).optional(),
      /** To other seats: the server's states, where it has any. */
      states: parcelSchema.optional(),
    })
    .optional(),
});
export type RoundMessage = z.infer<typeof roundMessageSchema>;

/** Provider → requester, as a notice about the bundle: an update is made, and hosted at this address. */
export const updateMessageSchema = z.strictObject({
  upload: uploadSchema,
  signature: hex(130),
  ...{ transport, address, parcel: parcelSchema },
  /** Of a top-k update: what it left unsaid, for who replays it. */
  residuals: parcelSchema.optional(),
});
export type UpdateMessage = z.infer<typeof updateMessageSchema>;
