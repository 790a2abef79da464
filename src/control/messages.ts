import { z } from "zod";
import type { JobId } from "../protocol/ids.ts";

/** Version of the protocol. Within a version answers and events only gain fields. */
export const CONTROL_VERSION = 1;

/** The daemons that a home may run, one of each: for providers and validators, for requesters, and a gossip peer. */
export const daemonKinds = ["worker", "server", "peer"] as const;
export type DaemonKind = (typeof daemonKinds)[number];

/** Longest request, bytes with its newline. */
export const MAX_REQUEST_BYTES = 4096;
/** Longest answer or event, bytes with its newline. */
export const MAX_ANSWER_BYTES = 1 << 20;
/** Jobs that `status` lists, the oldest first; `unfinished` counts all. */
export const MAX_JOBS = 200;
/** Warnings that `status` lists: the newest. */
export const MAX_WARNINGS = 20;
/** Tokens that `status` lists. */
export const MAX_EARNINGS = 100;
/** Of a transfer whose progress is reported. */
export const MAX_LANES = 64;
/** Of a text in an answer or an event, UTF-16 units. */
export const MAX_TEXT = 500;

const version = z.literal(CONTROL_VERSION);
const jobId = z.string().regex(/^0x[0-9a-f]{64}$/) as z.ZodType<JobId>;
const text = z.string().max(MAX_TEXT);
const count = z.number().int().nonnegative();
const unixSeconds = count.describe("Unix seconds");

/** One line that a client sends. */
export const requestSchema = z.discriminatedUnion("request", [
  z.strictObject({ version, request: z.literal("status") }),
  z.strictObject({ version, request: z.literal("drain") }),
  z.strictObject({ version, request: z.literal("stop") }),
  z.strictObject({ version, request: z.literal("reload") }),
  z.strictObject({ version, request: z.literal("follow"), job: jobId.optional() }),
]);
export type ControlRequest = z.infer<typeof requestSchema>;

export const daemonStates = ["starting", "working", "draining", "stopping"] as const;

const head = {
  kind: z.enum(daemonKinds).describe("worker: `provide` and `validate`; server: `serve`; peer: `gossip run`"),
  state: z.enum(daemonStates),
  unfinished: count.describe("jobs that it has begun and not ended"),
};

/** The answer to `drain`, `stop` and `reload`. */
export const acknowledgementSchema = z.object(head);
export type Acknowledgement = z.infer<typeof acknowledgementSchema>;

/** What a daemon leans on: the chain's node and clock, coin for gas, disk, the container engine, tor. */
const healthSchema = z
  .array(
    z.object({
      name: z.enum(["chain", "funds", "disk", "clock", "engine", "tor", "neighbours"]),
      ok: z.boolean(),
      found: text,
    }),
  )
  .max(8);
export type Health = z.infer<typeof healthSchema>;

/** The answer to `status`. */
export const daemonStatusSchema = z.object({
  ...head,
  pid: z.number().int().positive(),
  since: unixSeconds.describe("when it started, Unix seconds"),
  roles: z.array(z.enum(["requester", "provider", "validator"])).max(3),
  account: z
    .string()
    .regex(/^0x[0-9a-fA-F]{40}$/)
    .optional()
    .describe("once it works"),
  jobs: z
    .array(
      z.object({
        jobId,
        role: z.enum(["requester", "provider", "validator"]),
        since: unixSeconds,
        doing: text.optional().describe("the last that it reported of the job"),
      }),
    )
    .max(MAX_JOBS)
    .describe(`the oldest ${MAX_JOBS} unfinished jobs`),
  health: healthSchema.describe("empty until it works"),
  earnings: z
    .array(
      z.object({
        token: z.object({
          address: z.string().max(42),
          symbol: z.string().max(128),
          decimals: z.number().int(),
        }),
        amount: z
          .string()
          .regex(/^-?\d{1,80}$/)
          .describe("in the token's smallest unit, a decimal string"),
      }),
    )
    .max(MAX_EARNINGS)
    .describe("what jobs that are over paid a provider or validator in all, by token"),
  warnings: z
    .array(z.object({ at: unixSeconds, text, job: jobId.optional() }))
    .max(MAX_WARNINGS)
    .describe(`the newest ${MAX_WARNINGS} since it started`),
});
export type DaemonStatus = z.infer<typeof daemonStatusSchema>;

/** One line of a `follow`: what a role reports while it works (`ProgressEvent`). */
export const liveEventSchema = z.object({
  kind: z.enum(["start", "progress", "end", "fail", "info", "warn"]),
  at: unixSeconds,
  text,
  job: jobId.optional(),
  /** Of a step: its start, progress and end have the same. */
  id: text.optional(),
  done: z.number().nonnegative().optional(),
  total: z.number().nonnegative().optional(),
  lanes: z.array(z.number().nonnegative()).max(MAX_LANES).optional(),
});
export type LiveEvent = z.infer<typeof liveEventSchema>;

/** One line that a daemon sends: an answer, an event of a `follow`, or why it refuses. */
export const replySchema = z.union([
  z.object({ version, answer: z.unknown() }),
  z.object({ version, event: liveEventSchema }),
  z.object({
    version: z.number().int(),
    error: z.object({
      code: z.string().max(64),
      message: z.string().max(2000),
      hint: z.string().max(2000),
      retryable: z.boolean(),
    }),
  }),
]);
