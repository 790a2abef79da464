import { z } from "zod";
import { tiers } from "../../../protocol/offer.ts";
import type { WebEndpoint } from "../../../web/endpoint.ts";
import { outputs } from "../../output/all.ts";
import { addressValue, instantValue, jobIdValue, jobRoleValue, jobStateValue } from "../../output/values.ts";
import { moneyText, nothing, nowValue, printedValue } from "./values.ts";

const count = z.number().int();
const rating = z.number().optional().describe("mean of the scores, 1 to 5");
const standing = z.number().describe("its record: -1 to 1, 0 without one");

export const marketApi = {
  offers: {
    method: "GET",
    path: "/api/offers",
    summary: "Who offers what, 50 at once",
    input: z.strictObject({
      sort: z.enum(["rating", "price", "jobs", "stake"]).default("rating"),
      gpu: z.literal("yes").optional(),
      tier: z.enum(tiers).optional(),
      minRating: z.coerce.number().min(1).max(5).optional(),
      from: z.coerce.number().int().min(0).max(1e6).default(0),
    }),
    output: z.strictObject({
      count: count.describe("of all that pass"),
      from: count,
      offers: z.array(
        z.strictObject({
          account: addressValue,
          name: z.string().describe("a stranger's words"),
          standing,
          rating,
          ratings: count,
          ratingAsValidator: rating,
          settled: count,
          requesters: count,
          hour: z.string().describe("coin an hour"),
          stake: moneyText,
          validator: z.boolean(),
          pooled: z.boolean(),
          tier: z.enum(tiers),
          machine: z.string().describe("a stranger's words"),
        }),
      ),
    }),
  },
  prices: {
    method: "GET",
    path: "/api/prices",
    summary: "What providers ask for an hour",
    input: nothing,
    output: printedValue(outputs.quote),
  },
  pools: {
    method: "GET",
    path: "/api/pools",
    summary: "Every job of the market that waits, by state, 50 of each",
    input: nothing,
    output: z.strictObject({
      now: nowValue,
      pools: z.array(
        z.strictObject({
          state: jobStateValue,
          count,
          jobs: z.array(
            z.strictObject({
              jobId: jobIdValue,
              deadline: instantValue.optional(),
              role: jobRoleValue.optional().describe("of this account"),
              waitsFor: z.string(),
              locked: moneyText,
            }),
          ),
        }),
      ),
    }),
  },
} as const satisfies Readonly<Record<string, WebEndpoint>>;

/** One who could do a job. */
const choice = z.strictObject({
  account: addressValue,
  name: z.string().describe("a stranger's words"),
  rating,
  ratings: count,
  settled: count,
  price: moneyText,
  tier: z.enum(tiers),
});

/** Who could do a job, the best first. */
export const choicesOutput = z.union([
  z.strictObject({ kind: z.literal("federated") }).describe("it invites: nobody is chosen"),
  z.strictObject({
    kind: z.enum(["job", "matrix"]),
    cells: count.describe("jobs that it makes"),
    name: z.string(),
    validatorSeats: count,
    providers: z.array(choice.extend({ standing })),
    validators: z.array(choice),
    unfit: z.array(z.strictObject({ account: addressValue, why: z.string() })),
  }),
]);
