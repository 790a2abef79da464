import { z } from "zod";
import type { WebEndpoint } from "../../../web/endpoint.ts";
import { outputs } from "../../output/all.ts";
import { folderValue, tokenValue } from "../../output/values.ts";
import { nothing, printedValue } from "./values.ts";

/** An amount of coin as people write it. */
const coinInput = z.strictObject({ coin: z.string().regex(/^\d{1,24}(\.\d{1,18})?$/) });

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
  deposit: {
    method: "POST",
    path: "/api/stake/deposit",
    summary: "Add coin to the stake; needs the page unlocked",
    input: coinInput,
    output: printedValue(outputs["stake deposit"]),
  },
  release: {
    method: "POST",
    path: "/api/stake/withdraw",
    summary: "Take free stake out of service; needs the page unlocked",
    input: coinInput,
    output: printedValue(outputs["stake withdraw"]),
  },
  collect: {
    method: "POST",
    path: "/api/stake/collect",
    summary: "Pay out stake that was taken out of service; needs the page unlocked",
    input: nothing,
    output: printedValue(outputs["stake collect"]),
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
