import { keccak256, toUtf8Bytes } from "ethers";
import { z } from "zod";
import { avoidSchema } from "../budget.ts";
import type { Hex } from "../ids.ts";
import { modes } from "../job/state.ts";
import { gpuDemandSchema, gpuFields, gpusSchema, MAX_TASK_GPUS } from "../machine/gpus.ts";
import { type BundledKind, tiers } from "../offer.ts";
import { keepForSchema, keptPartSchema, MAX_KEPT } from "../parcel/kept.ts";
import { pathProblem } from "../parcel/paths.ts";
import { amountSchema, bytesSchema, coinSchema, durationSchema } from "../quantity.ts";
import { tokenRefSchema } from "../token.ts";
import { pulledImageSchema } from "./pulled-image.ts";
import { matrixSchema, variablesSchema } from "./variables.ts";

const word = z.string().min(1).max(1024);
const path = z.string().min(1).max(1024);
const hash = z.string().regex(/^0x[0-9a-f]{64}$/) as z.ZodType<Hex>;
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const oci = z.strictObject({
  oci: pulledImageSchema.describe("Image in a registry, by the digest of its manifest: `host/name@sha256:…`"),
});
const bundlePath = path.refine((text) => pathProblem(text) === undefined, "must be a plain relative path");

const resources = z
  .strictObject({
    cpus: z.number().positive().max(1024).default(1).describe("CPUs of the task"),
    memory: bytesSchema.prefault("1 GiB").describe("Memory of the task; it is killed above it"),
    disk: bytesSchema.prefault("256 MiB").describe("What the task may write to /out, at most"),
    time: durationSchema.prefault("10m").describe("How long one run of the task may take"),
    gpus: gpusSchema
      .default(0)
      .describe("GPUs that the task has to itself: how many, or how many of which kind"),
    checkpoint: bytesSchema
      .optional()
      .describe(
        "Largest checkpoint that the task leaves in /out/checkpoint, part of `disk`; sealed copies reach you while it " +
          "runs. Without it none is looked for",
      ),
  })
  .transform(({ gpus, ...rest }) => ({ ...rest, ...gpuFields(gpus) }));

const rule = z.strictObject({
  mode: z
    .enum(modes)
    .default("evaluate")
    .describe(
      "How validators measure: they evaluate the result, run the task themselves (`replicate`, `digest`), or evaluate it " +
        "on inputs that the provider never sees (`exam`)",
    ),
  metric: z.string().min(1).max(64).default("acc").describe("Name of the metric that decides the verdict"),
  goal: z.enum(["max", "min"]).default("max").describe("Whether a larger or a smaller metric is better"),
  threshold: z.number().min(-9e9).max(9e9).describe("The metric that a result must reach to pass"),
  tolerance: z
    .number()
    .min(0)
    .max(9e9)
    .default(0.001)
    .describe("How far the metrics of two honest measurements may be apart"),
  validators: z
    .number()
    .int()
    .min(0)
    .max(5)
    .default(1)
    .describe(
      "Validators; 0 is optimistic mode: the provider is paid after a window in which you can challenge",
    ),
});

const share = z.number().min(0).max(1);

/** In job.yaml the rule comes with the exam's files; in the spec with what the requester commits to (`exam`). */
const verification = rule
  .extend({
    inputs: z
      .array(path)
      .min(1)
      .max(1000)
      .optional()
      .describe(
        "In `exam`: files and folders beside job.yaml that only validators get; a task that evaluates sees them under /in/exam",
      ),
  })
  .refine(({ mode, inputs }) => (mode === "exam") === (inputs !== undefined), {
    path: ["inputs"],
    message: "an exam needs inputs, and no other mode takes any",
  })
  .refine(({ mode, validators }) => mode !== "exam" || validators > 0, {
    path: ["validators"],
    message: "an exam needs a validator: the provider does not have it",
  });

const pay = z.strictObject({
  token: tokenRefSchema.describe("A token's name in the network file, or its address"),
  price: amountSchema
    .optional()
    .describe("What the provider gets, in the token; when absent, its price floor for the run window"),
  validatorFee: amountSchema
    .optional()
    .describe("What each validator gets; when absent, the fee floor of the chosen validators"),
  worth: coinSchema
    .optional()
    .describe(
      "Least that the provider must count one whole token as, in the coin: its stake is what it counts the price as",
    ),
});

const window = (what: string) => durationSchema.optional().describe(what);

const image = z
  .union([
    z.string().regex(/^([a-z0-9][a-z0-9._-]{0,63}|sha256:[0-9a-f]{64})$/),
    z.strictObject({ dockerfile: path.describe("Dockerfile among the inputs") }),
    z.strictObject({
      archive: path.describe("Root filesystem among the inputs, as an uncompressed tar"),
      digest: digest.optional().describe("SHA-256 of the archive; computed when absent"),
    }),
    oci,
  ])
  .describe(
    "Runtime image by name or by root-filesystem digest `sha256:…`; or, for providers whose policy allows it, " +
      "an image among the inputs or in a registry",
  );
const command = z
  .array(word)
  .min(1)
  .max(64)
  .describe("The task: run as `command… 0` by the provider and as `command… 1` to evaluate a result");
const tier = z.enum(tiers).default("runc").describe("Weakest isolation in which the task may run");

/** Fields that job files of every kind have. */
export const taskFields = {
  version: z.literal(1).describe("Version of this format"),
  name: z.string().min(1).max(64).describe("Name of the job, for people"),
  image,
  command,
  resources: resources.prefault({}).describe("What one run of the task needs"),
  tier,
  avoid: avoidSchema
    .optional()
    .describe("Accounts that do not get this job, beside those that `avoid` of config.yaml names"),
} as const;

/** `job.yaml`, as the requester writes it; docs/reference/job.md is made from the descriptions. */
export const jobFileSchema = z
  .strictObject({
    version: z.literal(1).describe("Version of this format"),
    name: z.string().min(1).max(64).describe("Name of the job, for people"),
    variables: variablesSchema
      .optional()
      .describe(
        "Texts, numbers and truth values by name, at most 64. With them `$" +
          "{NAME}` in any text of this file stands for the value: that of `-V NAME=VALUE`, or this default. Without a " +
          "default (`NAME:`) it must be given. `$$` before `{` is a plain `$`",
      ),
    matrix: matrixSchema
      .optional()
      .describe(
        "Values that variables take in turn, at most 256 combinations: `submit` posts a job for each. `-V` of one of them " +
          "leaves that value alone",
      ),
    image,
    command,
    inputs: z
      .array(
        z.union([
          path,
          z.strictObject({
            path: path.describe(
              "One of them that is kept: packed apart, and not fetched again while it is held",
            ),
            keep: keepForSchema.describe("How long after its last use it is worth keeping: `7d`"),
          }),
        ]),
      )
      .min(1)
      .max(1000)
      .describe("Files and folders beside job.yaml; the task sees them under /in"),
    outputs: z.array(path).min(1).max(1000).describe("Files and folders under /out that make up the result"),
    resources: resources.prefault({}).describe("What one run of the task needs"),
    verification: verification.describe("How the result is judged"),
    tier,
    price: coinSchema
      .optional()
      .describe("What the provider gets, in the coin; when absent, its price floor for the run window"),
    validatorFee: coinSchema
      .optional()
      .describe("What each validator gets; when absent, the fee floor of the chosen validators"),
    pay: pay
      .optional()
      .describe(
        "Pays the job in a token instead of the coin; `price` and `validatorFee` are then given here",
      ),
    avoid: taskFields.avoid,
    effort: share
      .default(0)
      .describe(
        "Share of the price that the provider gets when its work is confirmed and does not reach the threshold, or when " +
          "validators see the task fail as the provider says; 0 to 1",
      ),
    stop: z
      .strictObject({
        floor: share.default(0.1).describe("Least share of the price that a stopped job pays"),
        cap: share.default(1).describe("Greatest share of the price that a stopped job pays"),
      })
      .refine(({ floor, cap }) => floor <= cap, "floor must not be above cap")
      .prefault({})
      .describe("What the provider gets if you stop its run, by the time used of the run window; 0 to 1"),
    windows: z
      .strictObject({
        accept: window("For the provider to accept the job"),
        run: window("For the provider to run the task and to submit"),
        appoint: window("For you to fetch the result and to appoint validators"),
        commit: window("For validators to measure and to commit"),
        reveal: window("For measurements and seeds to be revealed"),
        claim: window("For the provider to publish the key"),
        challenge: window("For you to challenge a claim in optimistic mode"),
        appeal: window("For the provider to appeal"),
      })
      .prefault({})
      .describe("Times of the steps; absent ones are derived from the task and the pace of the chain"),
  })
  .superRefine(({ pay, price, validatorFee }, context) => {
    if (pay === undefined) return;
    for (const [name, value] of Object.entries({ price, validatorFee }))
      if (value !== undefined)
        context.addIssue({
          code: "custom",
          path: [name],
          message: `is paid in the token: write pay.${name}`,
        });
  })
  .superRefine(({ resources: { checkpoint, disk }, verification: { mode } }, context) => {
    const problem = checkpoint === undefined ? undefined : checkpointProblem(checkpoint, disk, mode);
    if (problem) context.addIssue({ code: "custom", path: ["resources", "checkpoint"], message: problem });
  })
  .superRefine(({ inputs, verification: { inputs: exam = [] } }, context) => {
    const problem = exam.length === 0 ? undefined : examProblem(inputs.map(pathOf), exam);
    if (problem) context.addIssue({ code: "custom", path: ["verification", "inputs"], message: problem });
    const unkept = keptProblem(inputs);
    if (unkept) context.addIssue({ code: "custom", path: ["inputs"], message: unkept });
  })
  .transform(({ inputs, ...rest }) => {
    const kept = inputs.filter((input) => typeof input !== "string");
    return { ...rest, inputs: inputs.map(pathOf), ...(kept.length > 0 && { kept }) };
  });
export type JobFile = z.infer<typeof jobFileSchema>;

/**
 * The part of job.yaml that provider and validator must agree on, with the image pinned by digest. It is in the
 * bundle's manifest, and its hash is in the terms.
 */
export const specSchema = z.strictObject({
  version: z.literal(1),
  name: z.string().min(1).max(64),
  /** By digest, by its path in the bundle, or by its name in a registry. */
  image: z.union([
    digest,
    z.strictObject({ dockerfile: bundlePath }),
    z.strictObject({ archive: bundlePath, digest }),
    oci,
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
    gpus: z.number().int().min(0).max(MAX_TASK_GPUS),
    /** What each of them must be; absent where any will do. */
    gpu: gpuDemandSchema.optional(),
    checkpoint: z
      .number()
      .int()
      .positive()
      .max(2 ** 50)
      .optional(),
  }),
  verification: rule,
  /** What the requester commits to when it posts an exam; absent in other modes. */
  exam: z
    .strictObject({
      /** Merkle root of the exam's ciphertext: its key is random, so that the root says nothing of the content. */
      root: hash,
      /** keccak256 of the key: without it one ciphertext could open under two keys. */
      keyHash: hash,
      /** Of the encrypted exam. */
      bytes: z
        .number()
        .int()
        .positive()
        .max(2 ** 50),
    })
    .optional(),
  /** Inputs that are parcels of their own; absent where there are none. */
  kept: z.array(keptPartSchema).min(1).max(MAX_KEPT).optional(),
  tier: z.enum(tiers),
});
export type Spec = z.infer<typeof specSchema>;

/** The spec of a job file: without what only the requester needs. */
export function specOf(file: JobFile, image: Spec["image"]): Spec {
  const { version, name, command, outputs, resources, tier } = file;
  const { inputs: _exam, ...verification } = file.verification;
  return { version, name, image, command, outputs, resources, verification, tier };
}

/** Folder below /in that has the exam, on a validator's machine alone. */
export const EXAM_FOLDER = "exam";

/** Why a job cannot have checkpoints of `checkpoint` bytes; undefined when it can. */
function checkpointProblem(
  checkpoint: number,
  disk: number,
  mode: (typeof modes)[number],
): string | undefined {
  if (checkpoint === 0) return "must be more than nothing: leave it out for a job without checkpoints";
  if (checkpoint > disk) return "must fit resources.disk, which it is part of";
  // Their validators run the task again to see that the work was done as told, which a checkpoint would take on trust.
  if (mode === "replicate" || mode === "digest")
    return `a job that is verified by ${mode} takes no work on trust, and a checkpoint is that: use evaluate or exam`;
  return undefined;
}

type Input = string | { readonly path: string; readonly keep: number };
const pathOf = (input: Input): string => (typeof input === "string" ? input : input.path);

const plain = (text: string) => text.replace(/^(\.\/)+|\/+$/g, "");
const holds = (outer: string, inner: string) =>
  outer === "" || outer === "." || outer === inner || inner.startsWith(`${outer}/`);

/** Why these inputs cannot be kept apart from each other; undefined when they can. */
function keptProblem(inputs: readonly Input[]): string | undefined {
  const kept = inputs.filter((input) => typeof input !== "string");
  if (kept.length > MAX_KEPT) return `at most ${MAX_KEPT} inputs can be kept`;
  for (const one of kept) {
    const own = plain(one.path);
    const other = inputs.find(
      (input) => input !== one && (holds(plain(pathOf(input)), own) || holds(own, plain(pathOf(input)))),
    );
    if (other !== undefined)
      return `"${one.path}" is packed apart, and cannot share files with the input "${pathOf(other)}"`;
  }
  return undefined;
}

/** Why these paths cannot be inputs and exam of one job; undefined when they can. */
function examProblem(inputs: readonly string[], exam: readonly string[]): string | undefined {
  for (const input of inputs.map(plain)) {
    if (holds(EXAM_FOLDER, input))
      return `/in/${EXAM_FOLDER} is the exam's place: rename the input "${input}"`;
    const shared = exam.map(plain).find((one) => holds(input, one) || holds(one, input));
    if (shared !== undefined)
      return `"${shared}" is among the job's inputs too, where its provider would see it`;
  }
  return undefined;
}

/** The image as a spec names it; undefined when `find` knows no digest for a runtime, or an archive has none. */
export function pinImage(
  image: JobFile["image"],
  find: (nameOrDigest: string) => string | undefined,
): Spec["image"] | undefined {
  if (typeof image === "string") return find(image);
  if ("dockerfile" in image || "oci" in image) return image;
  return image.digest === undefined ? undefined : { archive: image.archive, digest: image.digest };
}

/** The kind of an image in the bundle; undefined for one of a machine or a registry. */
export function bundledKind(image: JobFile["image"] | Spec["image"]): BundledKind | undefined {
  if (typeof image === "string" || "oci" in image) return undefined;
  return "dockerfile" in image ? "dockerfile" : "archive";
}

/** keccak256 of the spec's canonical JSON (RFC 8785). */
export function specHash(spec: Spec): Hex {
  return keccak256(toUtf8Bytes(canonicalJson(spec))) as Hex;
}

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** JSON with sorted keys and no white space, so that equal values have equal hashes (RFC 8785). */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter((entry) => entry[1] !== undefined);
    // RFC 8785 sorts by UTF-16 code units, as the default comparison does.
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item as Json)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}
