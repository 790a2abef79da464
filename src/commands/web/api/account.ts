import { z } from "zod";
import type { WebEndpoint } from "../../../web/endpoint.ts";
import { commandGroups } from "../../framework/declaration.ts";
import { outputs } from "../../output/all.ts";
import { addressValue, folderValue, jobRoleValue } from "../../output/values.ts";
import { moneyText, nothing, nowValue, printedValue } from "./values.ts";

export const accountApi = {
  me: {
    method: "GET",
    path: "/api/me",
    summary: "Who this is, and what it holds",
    input: nothing,
    output: z.strictObject({
      account: addressValue,
      network: z.string().optional(),
      transport: z.enum(["onion", "direct"]),
      home: folderValue,
      version: z.string(),
      role: jobRoleValue.optional(),
      now: nowValue,
      held: moneyText,
      owed: moneyText.describe("by the escrow, in all tokens"),
      unlocked: z.boolean().describe("whether the page has the wallet's password"),
      serving: z.boolean().describe("whether somebody acts for the home's jobs"),
    }),
  },
  help: {
    method: "GET",
    path: "/api/help",
    summary: "The commands of the command line",
    input: nothing,
    output: z.strictObject({
      commands: z.array(
        z.strictObject({
          name: z.string(),
          group: z.enum(commandGroups),
          summary: z.string(),
          example: z.string(),
        }),
      ),
    }),
  },
  unlock: {
    method: "POST",
    path: "/api/unlock",
    summary: "Give the page the wallet's password, until it ends",
    input: z.strictObject({ password: z.string().min(1).max(1024) }),
    output: z.strictObject({ unlocked: z.literal(true) }),
  },
  withdraw: {
    method: "POST",
    path: "/api/withdraw",
    summary: "Pay out what the escrow owes the account; needs the page unlocked",
    input: nothing,
    output: printedValue(outputs["wallet withdraw"]),
  },
} as const satisfies Readonly<Record<string, WebEndpoint>>;
