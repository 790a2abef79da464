import { z } from "zod";
import { priceRuleNames, priceRules } from "./pay/price.ts";
import { privacySchema, whyMeaningless } from "./privacy/rule.ts";
import { strategyNames, strategyOf } from "./strategies.ts";

const thousandths = (least: number, most: number) => z.number().min(least).max(most);

const server = z
  .strictObject({
    step: z
      .enum(["plain", "momentum", "adam", "nesterov"])
      .optional()
      .describe("Instead of the strategy's own"),
    lr: thousandths(0, 10).optional().describe("Of the server's step"),
    momentum: thousandths(0, 0.999).optional().describe("Of the server's step"),
  })
  .describe("How the server moves by the combined change");

/** Splits of the data: `iid`, `dirichlet A` with A from 0.01 to 1000, `file` (each file a part). */
const split = z
  .string()
  .regex(/^(iid|file|dirichlet \d{1,4}(\.\d{1,3})?)$/, "iid, file, or dirichlet and a number")
  .refine((text) => !text.startsWith("dirichlet") || Number(text.split(" ")[1]) >= 0.01, "at least 0.01");

/** The block `federated` of a job file. */
export const federatedSchema = z.strictObject({
  providers: z.number().int().min(2).max(64).describe("Providers in every round"),
  rounds: z.number().int().min(1).max(10_000).describe("Rounds"),
  sample: z
    .number()
    .min(0.01)
    .max(1)
    .default(1)
    .describe("Share of the providers that take part in a round, drawn from the seed; at least two do"),
  data: z
    .strictObject({ mode: z.enum(["allot"]).default("allot"), split: split.default("iid") })
    .prefault({})
    .describe("How the rows are dealt to the providers"),
  local: z
    .strictObject({
      epochs: z
        .number()
        .int()
        .min(1)
        .max(1000)
        .default(1)
        .describe("Passes over a provider's rows in a round"),
      batch: z.number().int().min(1).max(4096).default(16).describe("Rows of an inner step"),
      lr: z.number().positive().max(10).default(0.3).describe("Of the inner steps, at the beginning"),
      schedule: z
        .enum(["constant", "linear"])
        .default("linear")
        .describe("`linear`: falls to 0 over the round"),
    })
    .prefault({})
    .describe("What a provider does in a round"),
  outer: server.optional(),
  update: z
    .union([z.literal("int8"), z.strictObject({ topk: z.number().min(0.001).max(0.5) })])
    .default("int8")
    .describe("`int8`, or `topk` with the share of the values that is sent in 2 bits each; the rest waits"),
  privacy: privacySchema.optional().describe("Clips what providers send, and adds noise"),
  strategy: z
    .enum(strategyNames as [string, ...string[]])
    .default("gate")
    .describe("How updates become a model"),
  settings: z
    .record(z.string().max(32), z.number().int().min(-1_000_000).max(1_000_000))
    .default({})
    .describe("The strategy's parameters, in thousandths"),
  audit: z
    .union([z.literal("off"), z.number().int().min(0).max(64)])
    .default(1)
    .describe(
      "Providers replayed in each round by chance, beside those that miss the gate; `off`: no one is",
    ),
  pool: z
    .union([z.number().positive().max(1e9), z.enum(priceRuleNames)])
    .default(1)
    .describe(
      `What the whole job pays, in coin, or the rule that says so: ${priceRuleNames.map((name) => `\`${name}\` (${priceRules[name].summary})`).join(", ")}`,
    ),
  deposit: z
    .number()
    .min(0)
    .max(1e9)
    .default(0)
    .describe("What a provider locks, in coin; with `onCheat: refund` a proven cheat's goes to the others"),
  share: z.enum(["gated", "accuracy"]).default("gated").describe("`accuracy` pays ungated, by HKU's letter"),
  onCheat: z
    .enum(["continue", "refund"])
    .default("continue")
    .describe("`refund` ends the job at a proven cheat: the price goes back, the cheat is banned"),
});
export type FederatedFile = z.output<typeof federatedSchema>;

/** How providers misbehave in a simulation. */
export const badKinds = [
  "sign",
  "sign5",
  "label",
  "alie",
  "ipm",
  "replay",
  "copy",
  "lazy",
  "idle",
  "drop",
  "late",
  "garbage",
] as const;
export type BadKind = (typeof badKinds)[number];

const array = z.string().min(1).max(64);
const data = z.strictObject({
  file: z.union([z.string().min(1).max(1024), z.array(z.string().min(1).max(1024)).min(1).max(64)]),
  rows: array.default("x").describe("Name of the array of rows in the file"),
  labels: array.default("y").describe("Name of the array of labels"),
});

/** Generated rows: normal clouds, one a class; for trying things out without a file. */
const generated = z.strictObject({
  generated: z.strictObject({
    rows: z.number().int().min(100).max(100_000).default(2000),
    features: z.number().int().min(2).max(1024).default(32),
    classes: z.number().int().min(2).max(64).default(10),
    spread: z.number().positive().max(100).default(1.5).describe("Deviation of a cloud; the centres' is 1"),
  }),
});

/** Where a simulation's training rows come from. */
export const trainingRowsSchema = z.union([data, generated]);
/** Where the rows come from that measure. */
export const measuringRowsSchema = data;

/** `fed.yaml`: a federated job and the world that it is played in. */
export const trialFileSchema = z
  .strictObject({
    version: z.literal(1).describe("Version of this format"),
    name: z.string().min(1).max(64),
    federated: federatedSchema,
    simulation: z.strictObject({
      seed: z
        .union([z.string().max(64), z.number().int()])
        .default(1)
        .describe("The same seed, the same trial"),
      train: trainingRowsSchema.describe("Rows that are dealt; root rows are taken from them first"),
      test: measuringRowsSchema
        .optional()
        .describe("Hidden rows that measure; absent: a fifth of the training rows"),
      scale: z.number().positive().max(1e6).default(1).describe("Multiplied into each feature"),
      root: z.number().int().min(1).max(10_000).default(200).describe("Rows of the requester's root set"),
      public: z
        .number()
        .int()
        .min(10)
        .max(100_000)
        .default(1000)
        .describe("Rows that every provider has without their labels, for distillation"),
      hidden: z
        .number()
        .int()
        .min(16)
        .max(1024)
        .multipleOf(16)
        .default(64)
        .describe("Units of the network's hidden layer, a multiple of 16"),
      bad: z
        .partialRecord(z.enum(badKinds), z.number().int().min(0).max(64))
        .default({})
        .describe("How many providers misbehave, by kind"),
    }),
  })
  .refine(({ federated: { providers }, simulation: { bad } }) => providers >= badCount(bad), {
    path: ["simulation", "bad"],
    message: "there are fewer providers",
  })
  .refine(({ federated: { strategy, settings } }) => knownSettings(strategy, settings), {
    path: ["federated", "settings"],
    message: "the strategy has no setting of that name",
  })
  .superRefine(({ federated }, context) => {
    const why = federated.privacy === undefined ? undefined : whyMeaningless(federated.privacy, federated);
    if (why !== undefined) {
      context.addIssue({ code: "custom", path: ["federated", "privacy"], message: why });
    }
  });
export type TrialFile = z.output<typeof trialFileSchema>;

function badCount(bad: Partial<Record<BadKind, number>>): number {
  return Object.values(bad).reduce((sum, count) => sum + (count ?? 0), 0);
}

export function knownSettings(strategy: string, settings: Readonly<Record<string, number>>): boolean {
  const known = strategyOf(strategy)?.settings ?? {};
  return Object.keys(settings).every((name) => Object.hasOwn(known, name));
}
