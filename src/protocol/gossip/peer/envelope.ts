import { z } from "zod";
import { peerAddressSchema } from "../address.ts";
import { digestField } from "../records/encoding.ts";
import { gossipMessageSchema } from "./messages.ts";
import { MOST_NEIGHBOURS } from "./peer.ts";

/** Of one message in a neighbour's stream, bytes; a block with as many receipts as it may have fits. */
export const MOST_MESSAGE_BYTES = 2 << 20;

/** What a peer writes into the stream that a neighbour reads: one JSON text, behind its length in four bytes. */
export const envelopeSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("record"),
    message: gossipMessageSchema,
    /** Merkle root by which the sender hosts a transaction's model. */
    root: digestField.optional(),
  }),
  /** Of an introducer: others who said hello to it. */
  z.strictObject({ kind: z.literal("peers"), addresses: z.array(peerAddressSchema).max(MOST_NEIGHBOURS) }),
]);
export type Envelope = z.output<typeof envelopeSchema>;

/** Left as a notice with a peer that the sender wants for a neighbour, sealed to it; the sender's key stands before. */
export const peerHelloSchema = z.strictObject({ address: peerAddressSchema });
