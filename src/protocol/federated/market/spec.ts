import { keccak256, toUtf8Bytes } from "ethers";
import { z } from "zod";
import { jobPoolSchema } from "../../gossip/job-pool.ts";
import type { Hex } from "../../ids.ts";
import { ownDataName } from "../../machine/own-data.ts";
import { canonicalJson, type Spec, specSchema } from "../../task/spec.ts";
import { MAX_LENGTH } from "../codec/chunk.ts";
import { federatedSchema } from "../job-file.ts";

const { version, name, image, command, resources, tier } = specSchema.shape;
const { rounds, local, update, privacy } = federatedSchema.shape;

/**
 * What the providers of a federated job must know and agree to; it is in the bundle's manifest, and its hash is in the
 * terms.
 */
export const federatedSpecSchema = z.strictObject({
  ...{ version, name, image, command, resources, tier },
  federated: z.strictObject({
    rounds,
    local,
    update,
    privacy,
    /** Name of the providers' own data that the task trains on; absent: the requester deals its rows. */
    own: ownDataName.optional(),
    /** Of a pool for a gossip network's peers. */
    gossip: jobPoolSchema.optional(),
    /** Of distillation: public rows, and how many scores each has; an update has a value for each of these. */
    scores: z
      .strictObject({
        rows: z.number().int().min(1).max(1_000_000),
        classes: z.number().int().min(2).max(256),
      })
      .optional(),
    /** Of the model. */
    parameters: z.number().int().min(1).max(MAX_LENGTH),
    /** Digest of the model that round 1 begins with. */
    start: z.string().regex(/^0x[0-9a-f]{64}$/) as z.ZodType<Hex>,
    /** Of a job that validators lead: what its rounds are aggregated with (`kitDigest`). */
    kit: (z.string().regex(/^0x[0-9a-f]{64}$/) as z.ZodType<Hex>).optional(),
  }),
});
export type FederatedSpec = z.infer<typeof federatedSpecSchema>;

/** keccak256 of the spec's canonical JSON (RFC 8785). */
export function federatedSpecHash(spec: FederatedSpec): Hex {
  return keccak256(toUtf8Bytes(canonicalJson(spec))) as Hex;
}

/** Name of the model in what a task is given and leaves. */
export const MODEL_FILE = "model.safetensors";
/** Name of a provider's part in what a task is given. */
export const PART_FILE = "part.safetensors";
/** Name of the public rows, without labels, in what a task of distillation is given. */
export const PUBLIC_FILE = "public.safetensors";
/** Name of the scores of the public rows, in what such a task is given and leaves. */
export const SCORES_FILE = "scores.safetensors";
/** Name of what a task that measures leaves. */
export const MEASURED_FILE = "measured.json";
/** What a round puts beside the bundle's files in /in. */
export const ROUND_FILES = [
  MODEL_FILE,
  PART_FILE,
  PUBLIC_FILE,
  SCORES_FILE,
  "round.json",
  "models",
  "sets",
] as const;

/** Values of an update: of the model, or of the scores. */
export function updateLengthOf({ parameters, scores }: FederatedSpec["federated"]): number {
  return scores === undefined ? parameters : scores.rows * scores.classes;
}

/** The task as one of an ordinary job: what policies, machines and sandboxes look at. */
export function taskSpecOf({ federated: _, ...task }: FederatedSpec): Spec {
  const measure = { metric: "acc", threshold: 0, tolerance: 0, validators: 0 };
  return { ...task, outputs: [MODEL_FILE], verification: { mode: "evaluate", goal: "max", ...measure } };
}
