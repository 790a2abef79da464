import { z } from "zod";
import { kitRulesSchema } from "../file.ts";
import { account, hex, parcelSchema, updateMessageSchema } from "../messages.ts";
import { proposalSchema } from "../seat-messages.ts";

/** What a validator of the job, or one of its providers, shows the panel of a dispute. */

/** Name of the evidence in its parcel; beside it lie the files that it speaks of. */
export const EVIDENCE_FILE = "evidence.json";
/** Folder of the parcel with the kit's files. */
export const KIT_FOLDER = "kit";
/** Name of the root update in the parcel. */
export const ROOT_FILE = "root.bin";

/** Name of the server's state `index` in the parcel. */
export function stateFile(index: number): string {
  return `state-${index}.vector`;
}

/** Folder of the parcel in which update `index` lies. */
export function updateFolder(index: number): string {
  return `update-${index}`;
}

/** What a witness of a dispute tells a validator of the panel, in a feed where the two meet. */
export const witnessMessageSchema = z.strictObject({
  evidence: parcelSchema,
  /** The job's bundle; absent from a provider. */
  bundle: z.strictObject({ key: hex(64), bytes: parcelSchema.shape.bytes }).optional(),
});
export type WitnessMessage = z.infer<typeof witnessMessageSchema>;

/** The round before it was worked out, and what the one that closed it made of it. */
const closingEvidenceSchema = z.strictObject({
  lead: account,
  proposal: proposalSchema,
  /** Of the strategy, before the round. */
  memory: z.record(z.string().max(64), z.array(z.number()).max(16)),
  /** What each account had earned before the round, smallest unit, ascending. */
  earned: z.array(z.tuple([account, z.string().regex(/^(0|[1-9]\d{0,77})$/)])).max(10_000),
  /** A root update lies in the parcel. */
  root: z.boolean(),
});

/** Beside it lie the updates, and from a validator the kit and the model that the round began with. */
export const evidenceSchema = z.strictObject({
  round: z.number().int().min(1).max(10_000),
  /** Of the updates in the parcel, in the order of their folders. */
  updates: z.array(updateMessageSchema).max(128),
  kit: z.strictObject({ rules: kitRulesSchema, seed: hex(64) }).optional(),
  /** Of a dispute over a closing, from a validator that has worked it out. */
  closing: closingEvidenceSchema.optional(),
});
export type Evidence = z.infer<typeof evidenceSchema>;
