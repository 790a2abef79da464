import { z } from "zod";
import { coinSchema } from "../quantity.ts";
import { campaignHead, collectionSchema } from "./file.ts";

/** How an agent behaves: which share of its rows bears the wrong label, and what it fixes. */
export const agentKinds = {
  honest: { errors: 0, summary: "its rows are right" },
  careless: { errors: 0.1, summary: "a tenth of its rows bears the wrong label" },
  malicious: { errors: 1, summary: "all its rows bear the wrong label" },
  colluding: { errors: 1, summary: "the same, and it fixes right rows of others for their deposits" },
} as const satisfies Readonly<Record<string, { errors: number; summary: string }>>;
export type AgentKind = keyof typeof agentKinds;

const kinds = Object.keys(agentKinds) as [AgentKind, ...AgentKind[]];
const count = z.number().int();
const path = z.string().min(1).max(1024);

const agent = z.strictObject({
  kind: z.enum(kinds).default("honest"),
  rows: count.min(0).max(10_000).default(0).describe("Rows that it adds a day"),
  batch: count.min(1).max(1000).default(1).describe("Rows of one call"),
  fixes: z.boolean().default(false).describe("Whether it looks at the rows of others and fixes wrong ones"),
});

const data = z.union([
  z.strictObject({
    negative: path.describe("Text, a row a line, of class 0"),
    positive: path.describe("Text, a row a line, of class 1"),
    vocabulary: path.describe("JSON, the number of each word"),
    model: path.optional().describe("JSON of 0xDeCA10B, the perceptron that the campaign begins with"),
  }),
  z.strictObject({
    generated: z.strictObject({
      rows: count.min(100).max(100_000).default(4000),
      words: count.min(10).max(10_000).default(200).describe("Words of the vocabulary"),
    }),
  }),
]);

/** `campaign.yaml`: a data campaign and the agents that it is played with. */
export const scenarioSchema = z
  .strictObject({
    ...campaignHead,
    collection: collectionSchema.optional(),
    simulation: z.strictObject({
      seed: z.union([z.string().max(64), z.number().int()]).default(1),
      days: count.min(1).max(365),
      judge: z.enum(["honest", "yes", "silent"]).default("honest").describe("How the owner judges fixes"),
      panel: z
        .strictObject({ members: count.min(0).max(64).default(3), yes: count.min(0).max(64).default(0) })
        .prefault({})
        .describe("Validators in the pool, and how many of them always say yes"),
      fixing: z.boolean().default(true).describe("`false`: no agent fixes anything"),
      balance: coinSchema.prefault("100").describe("Coin that each agent begins with"),
      model: z.enum(["perceptron", "centroid", "bayes"]).default("perceptron"),
      start: count.min(0).max(50_000).default(0).describe("Right rows that the model knows before"),
      hidden: count.min(10).max(50_000).default(1000).describe("Rows that measure"),
      data,
      agents: z
        .record(z.string().regex(/^[a-z][a-z0-9-]{0,31}$/), agent)
        .refine((all) => Object.keys(all).length >= 1 && Object.keys(all).length <= 16, "1 to 16 agents"),
    }),
  })
  .refine(({ simulation: { panel } }) => panel.yes <= panel.members, {
    path: ["simulation", "panel", "yes"],
    message: "there are fewer members",
  });
export type Scenario = z.output<typeof scenarioSchema>;
export type ScenarioAgent = Scenario["simulation"]["agents"][string];
