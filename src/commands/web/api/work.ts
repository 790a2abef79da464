import { z } from "zod";
import type { WebEndpoint } from "../../../web/endpoint.ts";
import { outputs } from "../../output/all.ts";
import { folderValue, tokenValue } from "../../output/values.ts";
import { nothing, printedValue } from "./values.ts";

export const workApi = {
  work: {
    method: "GET",
    path: "/api/work",
    summary: "Earnings, stake, and the home's daemons",
    input: nothing,
    output: z.strictObject({
      coin: tokenValue,
      earnings: printedValue(outputs.earnings),
      stake: printedValue(outputs["stake status"]).describe("without data where nothing is offered"),
      status: printedValue(outputs.status),
    }),
  },
  policy: {
    method: "GET",
    path: "/api/policy",
    summary: "What the home's policy makes of the newest jobs, by their terms",
    input: nothing,
    output: z.strictObject({
      file: folderValue.optional(),
      jobs: z.number().int(),
      takes: z.number().int(),
      because: z.array(
        z.strictObject({
          code: z.string(),
          reason: z.string(),
          count: z.number().int(),
          fix: z.strictObject({ field: z.string(), value: z.string() }).optional(),
        }),
      ),
    }),
  },
  doctor: {
    method: "GET",
    path: "/api/doctor",
    summary: "What works on this machine, and how to mend the rest",
    input: nothing,
    output: printedValue(outputs.doctor),
  },
} as const satisfies Readonly<Record<string, WebEndpoint>>;
