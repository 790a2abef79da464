import { keccak256, toUtf8Bytes } from "ethers";
import { z } from "zod";
import type { Hex } from "../ids.ts";
import { modes } from "../job/state.ts";
import { type BundledKind, tiers } from "../offer.ts";
import { pathProblem } from "../parcel/paths.ts";
import { bytesSchema, coinSchema, durationSchema } from "../quantity.ts";

const word = z.string().min(1).max(1024);
const path = z.string().min(1).max(1024);
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const bundlePath = path.refine((text) => pathProblem(text) === undefined, "must be a plain relative path");

const resources = z.strictObject({
  cpus: z.number().positive().max(1024).default(1),
  memory: bytesSchema.prefault("1 GiB"),
  /** Cap on what the task may write to /out. */
  disk: bytesSchema.prefault("256 MiB"),
  /** How long one run of the task may take. */
  time: durationSchema.prefault("10m"),
  gpus: z.number().int().min(0).max(16).default(0),
});

const verification = z.strictObject({
  mode: z.enum(modes).default("evaluate"),
  /** Name of the metric that the verdict is about. */
  metric: z.string().min(1).max(64).default("acc"),
  goal: z.enum(["max", "min"]).default("max"),
  threshold: z.number().min(-9e9).max(9e9),
  tolerance: z.number().min(0).max(9e9).default(0.001),
  /** 0 is optimistic mode: the provider is paid after a window in which the requester can challenge. */
  validators: z.number().int().min(0).max(5).default(1),
});

/** `job.yaml`, as the requester writes it. Amounts of coin are decimal strings, times like "10m". */
export const jobFileSchema = z.strictObject({
  version: z.literal(1),
  name: z.string().min(1).max(64),
  /**
   * A runtime's name, or its root-filesystem digest `sha256:…`; or, for providers whose policy allows it, a Dockerfile
   * or a root filesystem (an uncompressed tar) among the inputs.
   */
  image: z.union([
    z.string().regex(/^([a-z0-9][a-z0-9._-]{0,63}|sha256:[0-9a-f]{64})$/),
    z.strictObject({ dockerfile: path }),
    /** The archive's digest is computed when it is not given. */
    z.strictObject({ archive: path, digest: digest.optional() }),
  ]),
  /** Run as `command… 0` by the provider and `command… 1` by an evaluating validator. */
  command: z.array(word).min(1).max(64),
  /** Files and folders beside job.yaml; the task sees them under /in. */
  inputs: z.array(path).min(1).max(1000),
  /** Files and folders under /out that make up the result. */
  outputs: z.array(path).min(1).max(1000),
  resources: resources.prefault({}),
  verification,
  tier: z.enum(tiers).default("runc"),
  /** What the provider gets; when absent, its price floor for the run window. */
  price: coinSchema.optional(),
  /** What each validator gets; when absent, the chosen validators' fee floor. */
  validatorFee: coinSchema.optional(),
  /** Absent ones are derived from the task and the chain's pace (`windowsOf`). */
  windows: z
    .strictObject({
      accept: durationSchema.optional(),
      run: durationSchema.optional(),
      appoint: durationSchema.optional(),
      commit: durationSchema.optional(),
      reveal: durationSchema.optional(),
      claim: durationSchema.optional(),
      challenge: durationSchema.optional(),
      appeal: durationSchema.optional(),
    })
    .prefault({}),
});
export type JobFile = z.infer<typeof jobFileSchema>;

/**
 * The part of job.yaml that provider and validator must agree on, with the image pinned by digest. It is in the
 * bundle's manifest, and its hash is in the terms.
 */
export const specSchema = z.strictObject({
  version: z.literal(1),
  name: z.string().min(1).max(64),
  /** By digest, or by its path in the bundle. */
  image: z.union([
    digest,
    z.strictObject({ dockerfile: bundlePath }),
    z.strictObject({ archive: bundlePath, digest }),
  ]),
  command: z.array(word).min(1).max(64),
  outputs: z.array(path).min(1).max(1000),
  resources: z.strictObject({
    cpus: z.number().positive().max(1024),
    memory: z
      .number()
      .int()
      .positive()
      .max(2 ** 50),
    disk: z
      .number()
      .int()
      .positive()
      .max(2 ** 50),
    time: z.number().int().positive().max(31_536_000),
    gpus: z.number().int().min(0).max(16),
  }),
  verification,
  tier: z.enum(tiers),
});
export type Spec = z.infer<typeof specSchema>;

/** The spec of a job file: without what only the requester needs. */
export function specOf(file: JobFile, image: Spec["image"]): Spec {
  const { version, name, command, outputs, resources, verification, tier } = file;
  return { version, name, image, command, outputs, resources, verification, tier };
}

/** The image as a spec names it; undefined when `find` knows no digest for a runtime, or an archive has none. */
export function pinImage(
  image: JobFile["image"],
  find: (nameOrDigest: string) => string | undefined,
): Spec["image"] | undefined {
  if (typeof image === "string") return find(image);
  if ("dockerfile" in image) return image;
  return image.digest === undefined ? undefined : { archive: image.archive, digest: image.digest };
}

/** The kind of an image in the bundle; undefined for a runtime image. */
export function bundledKind(image: JobFile["image"] | Spec["image"]): BundledKind | undefined {
  if (typeof image === "string") return undefined;
  return "dockerfile" in image ? "dockerfile" : "archive";
}

/** keccak256 of the spec's canonical JSON (RFC 8785). */
export function specHash(spec: Spec): Hex {
  return keccak256(toUtf8Bytes(canonicalJson(spec))) as Hex;
}

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** JSON with sorted keys and no white space, so that equal values have equal hashes (RFC 8785). */
function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter((entry) => entry[1] !== undefined);
    // RFC 8785 sorts by UTF-16 code units, as the default comparison does.
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item as Json)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}
