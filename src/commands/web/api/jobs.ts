import { z } from "zod";
import type { WebEndpoint } from "../../../web/endpoint.ts";
import { outputs } from "../../output/all.ts";
import { federatedJobOutput, federatedOutputs } from "../../output/federated.ts";
import {
  addressValue,
  bytesValue,
  fixedPointValue,
  folderValue,
  hashValue,
  jobIdValue,
} from "../../output/values.ts";
import {
  jobIdInput,
  jobRowValue,
  moneyText,
  nothing,
  nowValue,
  printedValue,
  reportsValue,
} from "./values.ts";

const rows = z.array(z.tuple([z.string(), z.string()])).describe("name and value, for people");
const why = z.string().describe("where it stands, and whose turn it is");

const oneJob = jobRowValue.extend({
  kind: z.literal("job"),
  now: nowValue,
  links: z.strictObject({ previous: jobIdValue.optional(), next: jobIdValue.optional() }),
  ...{ rows, why },
  reason: z.string().optional().describe("a stranger's words"),
  measured: z.strictObject({
    threshold: fixedPointValue,
    failed: z.boolean().describe("whether the provider says that its run failed"),
    provider: fixedPointValue.optional(),
    validators: z.array(
      z.strictObject({
        validator: addressValue,
        abstained: z.boolean(),
        committed: z.boolean(),
        score: fixedPointValue.optional(),
      }),
    ),
  }),
  parties: z.strictObject({ requester: addressValue, provider: addressValue }),
  reports: reportsValue,
  result: z
    .strictObject({
      folder: folderValue,
      files: z.array(z.strictObject({ path: z.string(), bytes: bytesValue })),
      contents: z.array(z.string()).describe("what lies in them, for people"),
    })
    .optional()
    .describe("once it is opened"),
  isKeyKnown: z.boolean().describe("whether the result can be opened"),
  isRated: z.boolean(),
});

const oneFederated = federatedJobOutput.omit({ price: true }).extend({
  now: nowValue,
  price: moneyText,
  final: z.boolean(),
  ...{ rows, why },
  closed: z.number().int(),
  of: z.number().int(),
  rounds: z.array(federatedOutputs.watch[1]).describe("in the home that leads it"),
  reports: reportsValue,
});

const act = <Output extends z.ZodType>(verb: string, summary: string, output: Output) =>
  ({
    method: "POST",
    path: `/api/jobs/:id/${verb}`,
    summary: `${summary}; needs the page unlocked`,
    input: jobIdInput,
    output: printedValue(output),
  }) as const;

export const jobsApi = {
  jobs: {
    method: "GET",
    path: "/api/jobs",
    summary: "This account's jobs",
    input: nothing,
    output: z.strictObject({
      now: nowValue,
      totals: z.strictObject({ locked: moneyText, paid: moneyText }).describe("as a requester"),
      jobs: z.array(jobRowValue).describe("newest first"),
      federated: z.array(federatedJobOutput.extend({ price: z.string() })).describe("newest first"),
    }),
  },
  job: {
    method: "GET",
    path: "/api/jobs/:id",
    summary: "One job",
    input: jobIdInput,
    output: z.union([oneJob, oneFederated]),
  },
  log: {
    method: "POST",
    path: "/api/jobs/:id/log",
    summary:
      "Follow a job's log: what there is of it, and the rest by events; needs the page unlocked while it runs",
    input: jobIdInput,
    output: z.strictObject({
      jobId: hashValue,
      text: z.string().describe("the newest of it; a stranger's words"),
      dropped: z.number().int().describe("characters that came before"),
      running: z.boolean(),
      error: z.strictObject({ code: z.string(), message: z.string() }).optional(),
    }),
  },
  stop: act("stop", "End the run of an accepted job, for the time used", outputs.stop),
  cancel: act("cancel", "Take back a job that is not accepted yet", outputs.cancel),
  challenge: act("challenge", "Dispute a result that was claimed without validators", outputs.challenge),
  rate: {
    ...act("rate", "Score a job's provider", outputs.rate),
    input: jobIdInput.extend({ score: z.number().int().min(1).max(5) }),
  },
  get: act("get", "Open a job's result beside where the page was started", outputs.get),
} as const satisfies Readonly<Record<string, WebEndpoint>>;

/** Names of the page's server-sent events, and their data. */
export const pageEvents = {
  report: { summary: "What a role reports", schema: reportsValue.element },
  job: { summary: "A job of this account has changed", schema: z.strictObject({ jobId: jobIdValue }) },
  market: { summary: "A job of others has changed", schema: z.strictObject({ jobId: jobIdValue }) },
  campaign: {
    summary: "A data campaign has changed",
    schema: z.strictObject({ campaignId: hashValue }),
  },
  log: {
    summary: "More of a log that is followed",
    schema: z.strictObject({ jobId: jobIdValue, at: z.number().int(), text: z.string() }),
  },
  "log-end": {
    summary: "The end of a log that is followed",
    schema: jobsApi.log.output.pick({ jobId: true, error: true }),
  },
  notice: { summary: "What the page's owner should read", schema: z.strictObject({ text: z.string() }) },
  reset: { summary: "Events were lost: everything is to be read again", schema: z.strictObject({}) },
} as const;
