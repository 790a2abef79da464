import { AbiCoder, keccak256, toUtf8Bytes } from "ethers";
import { z } from "zod";
import type { Address, Hex } from "../../ids.ts";
import { canonicalJson } from "../../task/spec.ts";
import { replayFindings } from "../replay.ts";
import { type JobRules, kitRulesSchema } from "./file.ts";
import { account, hex, parcelSchema, seatPlaceSchema, updateMessageSchema } from "./messages.ts";

/** What the requester and the seats of a federated job tell each other, sealed, beside what providers are told. */

/** Requester → seat, in the seat's feed: what rounds are aggregated with; from part 2 on also which seats serve. */
export const kitMessageSchema = z.strictObject({
  /** The files that the job file names, beside each other. */
  kit: parcelSchema,
  /** Of the deal of the rows, and of other random choices. */
  seed: hex(64),
  /** Of the keys of the models: what the requester opens them with (`blindKey`). */
  mask: hex(64),
  peers: z.array(seatPlaceSchema).min(1).max(7).optional(),
});
export type KitMessage = z.infer<typeof kitMessageSchema>;

/** Seat → requester, as a notice about the bundle: it has the kit, and hosts here. */
export const helloSchema = z.strictObject({ hello: seatPlaceSchema });

const round = z.number().int().min(1).max(10_000);
const gain = z.number().int().min(-1e9).max(1e9);

/** Of the updates that count, ascending by provider. */
const updates = z.array(updateMessageSchema).max(64);

/** Seat → other seats, part 2 · round - 1 of a feed of its own: which updates count. What they find of them follows. */
export const roundListSchema = z.strictObject({ round, updates });
export type RoundList = z.infer<typeof roundListSchema>;

const figures = {
  /** Of the model that the round begins with; absent where no update came. */
  before: z.strictObject({ acc: z.number().min(0).max(1), loss: z.number().min(-1e9).max(1e9) }).optional(),
  /** Of each update, in their order: all in millionths. */
  measured: z
    .array(
      z.strictObject({
        accuracy: z.number().int().min(-1e6).max(1e6),
        gains: z.strictObject({ own: gain, others: gain }).optional(),
        audit: z.enum(replayFindings).optional(),
      }),
    )
    .max(64),
} as const;
const figuresSchema = z.strictObject(figures);
/** What a seat measured in a round, and what its replays found: all that differs between two machines. */
export type RoundFigures = z.infer<typeof figuresSchema>;

/** Seat → seat that told a list, as a notice about the bundle: a hash of what it found, before it hears the other's. */
export const commitmentSchema = z.strictObject({
  committed: z.strictObject({
    round,
    /** Digest of the list (`listDigest`). */
    list: hex(64),
    /** Of its figures (`figuresCommitment`). */
    commitment: hex(64),
  }),
});
export type FiguresCommitted = z.infer<typeof commitmentSchema>["committed"];

/** Seat → other seats, part 2 · round of the same feed: what it makes of the round. Everything else follows from it. */
export const proposalSchema = z.strictObject({
  ...{ round, updates, ...figures },
  /** The root update, where the strategy has one. */
  root: parcelSchema.optional(),
  /** The next model. */
  model: parcelSchema,
  finishedAt: z
    .number()
    .int()
    .min(0)
    .max(2 ** 40),
  seconds: z
    .number()
    .int()
    .min(0)
    .max(2 ** 40),
  /** By its sender, of the round's record in the ledger. */
  signature: hex(130),
});
export type RoundProposal = z.infer<typeof proposalSchema>;

/**
 * Seat → seat that proposed, as a notice about the bundle: its signatures of strikes, and of the closing unless a cheat
 * is to end the job; and what opens its commitment.
 */
export const approvalSchema = z.strictObject({
  approved: z.strictObject({
    round,
    signature: hex(130).optional(),
    strikes: z.array(z.tuple([account, hex(130)])).max(64),
    figures: figuresSchema,
    salt: hex(64),
  }),
});
export type Approved = z.infer<typeof approvalSchema>["approved"];

/** Digest of what the seat `lead` told of a round: no other job, round, seat or choice of updates has it. */
export function listDigest(job: Hex, lead: Address, { round, updates }: RoundList): Hex {
  return hashOf({ job: job.toLowerCase(), lead: lead.toLowerCase(), round, updates });
}

/** What the seat `account` commits to before it hears what another found of the same list. */
export function figuresCommitment(list: Hex, account: Address, figures: RoundFigures, salt: Hex): Hex {
  return hashOf({ list, account: account.toLowerCase(), figures, salt });
}

/**
 * What the spec names the kit by, so that every validator, of a panel too, has the same: its rules, the digest of its
 * files, and the seed of the deal.
 */
export function kitDigest(rules: JobRules, files: Hex, seed: Hex): Hex {
  const read = kitRulesSchema.parse(JSON.parse(JSON.stringify(rules)));
  return hashOf({ rules: read, files, seed });
}

function hashOf(value: Parameters<typeof canonicalJson>[0]): Hex {
  return keccak256(toUtf8Bytes(canonicalJson(value))) as Hex;
}

/** The mask of the key of the model that round `round` ends with. */
export function modelMask(mask: Hex, round: number): Hex {
  return keccak256(AbiCoder.defaultAbiCoder().encode(["bytes32", "uint256"], [mask, round])) as Hex;
}
