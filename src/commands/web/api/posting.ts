import { z } from "zod";
import type { templates } from "../../../config/choices.ts";
import type { WebEndpoint } from "../../../web/endpoint.ts";
import { outputs } from "../../output/all.ts";
import { folderValue } from "../../output/values.ts";
import { choicesOutput } from "./market.ts";
import { nothing, printedValue } from "./values.ts";

/** Those whose folders have a job of a market. */
export const jobTemplates = ["sklearn", "torch", "finetune"] as const satisfies (keyof typeof templates)[];

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/);
const party = z.union([address, z.literal("best")]).default("best");

const jobInput = z.strictObject({
  file: z.string().min(1).max(4096).describe("a job.yaml, or the folder that has one"),
  provider: party,
  validator: party,
  variables: z
    .array(z.tuple([z.string().regex(/^[A-Za-z_]\w{0,63}$/), z.string().max(1024)]))
    .max(64)
    .default([]),
});
export type JobInput = z.output<typeof jobInput>;

export const postingApi = {
  files: {
    method: "GET",
    path: "/api/files",
    summary: "Job folders below the working directory",
    input: nothing,
    output: z.strictObject({
      folder: folderValue,
      files: z.array(z.string()),
      templates: z.array(z.strictObject({ name: z.enum(jobTemplates), summary: z.string() })),
    }),
  },
  new: {
    method: "POST",
    path: "/api/new",
    summary: "Write the folder of a job that runs at once",
    input: z.strictObject({ template: z.enum(jobTemplates) }),
    output: printedValue(outputs.new),
  },
  choices: {
    method: "POST",
    path: "/api/choices",
    summary: "Who could do a job",
    input: jobInput,
    output: choicesOutput,
  },
  plan: {
    method: "POST",
    path: "/api/plan",
    summary: "What posting a job would lock",
    input: jobInput,
    output: printedValue(outputs.submit),
  },
  submit: {
    method: "POST",
    path: "/api/submit",
    summary: "Post a job; needs the page unlocked",
    input: jobInput.extend({
      most: z
        .string()
        .regex(/^\d{1,78}$/)
        .describe("what its owner agreed to, in the smallest unit of its token"),
    }),
    output: printedValue(outputs.submit),
  },
} as const satisfies Readonly<Record<string, WebEndpoint>>;
