import { z } from "zod";
import { measuringRowsSchema, trainingRowsSchema } from "../federated/job-file.ts";
import { modelPackings } from "./packed-model.ts";
import { gossipSettingsSchema } from "./settings.ts";

/** How peers misbehave in a simulation; see docs/gossip.md. */
export const attackKinds = [
  "data",
  "model",
  "alternate-turn",
  "biased",
  "duplicate",
  "shuffled-label",
  "label+1",
  "stolen",
  "perturbed",
  "replayed",
  "averaged",
] as const;
export type AttackKind = (typeof attackKinds)[number];

const MOST_NODES = 1000;
const node = z
  .number()
  .int()
  .min(0)
  .max(MOST_NODES - 1);
const ticks = (most: number) => z.number().int().min(1).max(most);

const topology = z.union([
  z
    .string()
    .regex(/^(paper|full|ring|line|random [1-9]\d?)$/, "paper, full, ring, line, or random and a number"),
  z.strictObject({
    edges: z
      .array(z.tuple([node, node]))
      .min(1)
      .max(100_000),
  }),
  z.strictObject({ file: z.string().min(1).max(1024) }),
]);

const split = z
  .string()
  .regex(/^(iid|dirichlet \d{1,4}(\.\d{1,3})?|labels [1-9]\d?)$/, "iid, dirichlet or labels and a number")
  .refine((text) => !text.startsWith("dirichlet") || Number(text.split(" ")[1]) >= 0.01, "at least 0.01");

/** `sim.yaml`: a network of peers and the world that it is played in. Without more it is the paper's. */
export const gossipSimulationSchema = z
  .strictObject({
    version: z.literal(1).describe("Version of this format"),
    name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/, "letters, digits, spaces, dots and dashes"),
    gossip: gossipSettingsSchema.prefault({}),
    simulation: z.strictObject({
      seed: z
        .union([z.string().max(64), z.number().int()])
        .default(1)
        .describe("The same seed, the same run"),
      nodes: z.number().int().min(2).max(MOST_NODES).default(10),
      ticks: ticks(1_000_000).default(4000).describe("A tick is a second of the peers' clocks"),
      sample: ticks(100_000).default(100).describe("Ticks between two lines of output"),
      topology: topology.default("paper").describe("Who is whose neighbour"),
      interval: z
        .tuple([ticks(1000), ticks(1000)])
        .default([8, 12])
        .describe("Ticks between two trainings of a peer, at least and at most"),
      batch: z.number().int().min(1).max(4096).default(64).describe("Rows of a training"),
      test: z.number().int().min(1).max(10_000).default(100).describe("Hidden rows that measure a model"),
      optimiser: z
        .strictObject({
          lr: z.number().positive().max(10).default(0.01),
          gamma: z.number().min(0).max(1).default(0.0001),
          power: z.number().min(0).max(4).default(0.75),
          momentum: z.number().min(0).max(0.999).default(0.9),
          decay: z.number().min(0).max(0.1).default(0.0005),
        })
        .prefault({})
        .describe("Caffe's for LeNet: the rate falls as lr·(1 + gamma·trainings)^−power"),
      start: z
        .enum(["shared", "own"])
        .default("shared")
        .describe("Whether all peers begin with one model; `own`: each with weights of its own"),
      split: split.default("iid").describe("Labels that each peer sees"),
      model: z
        .enum(["perceptron", "lenet"])
        .default("perceptron")
        .describe("`lenet`: two convolutions before the units, for rows of 28 by 28 values"),
      compressed: z
        .enum(modelPackings)
        .optional()
        .describe("Models travel as codes of 8 bits, as updates of federated jobs do; absent: as they are"),
      hidden: z.number().int().min(16).max(1024).multipleOf(16).default(64).describe("Units of the network"),
      attackers: z
        .partialRecord(z.enum(attackKinds), z.array(node).max(MOST_NODES))
        .default({})
        .describe("Which peers misbehave, by kind"),
      observers: z.array(node).max(MOST_NODES).default([]).describe("Which peers average and do not train"),
      data: z.strictObject({
        train: trainingRowsSchema.describe("Rows that peers draw from"),
        test: measuringRowsSchema.optional().describe("Hidden rows; absent: a fifth of the training rows"),
        scale: z.number().positive().max(1e6).default(1).describe("Multiplied into each feature"),
      }),
    }),
  })
  .superRefine(({ simulation }, context) => {
    const { nodes, topology: shape, attackers, observers, interval } = simulation;
    const issue = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: ["simulation", path], message });
    if (shape === "paper" && nodes !== 10) issue("topology", "the paper's network has 10 nodes");
    const named = [...Object.values(attackers).flat(), ...observers] as number[];
    if (named.some((one) => one >= nodes)) issue("attackers", "there are fewer nodes");
    if (new Set(named).size < named.length) issue("attackers", "a node plays one thing");
    if (named.length >= nodes) issue("attackers", "no honest node is left that trains");
    if (interval[0] > interval[1]) issue("interval", "the least comes first");
  });
export type GossipSimulationFile = z.output<typeof gossipSimulationSchema>;
