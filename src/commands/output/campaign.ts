import { z } from "zod";
import { agentKinds } from "../../protocol/campaign/scenario.ts";
import { amountValue } from "./values.ts";

const count = z.number().int().nonnegative();
const accuracy = z.number().min(0).max(1);

/** `simulate campaign.yaml`: a line a day, the first before any row. */
export const campaignDayOutput = z.strictObject({
  event: z.literal("day"),
  day: count.describe("from 0, before the first row"),
  rows: count.describe("added so far"),
  wrong: count.describe("of those, that bear the wrong label"),
  fixes: z.strictObject({ right: count, false: count }).describe("that were taken so far"),
  accuracy: accuracy.describe("on the hidden rows, of the model that learnt the data as it is"),
  deposit: amountValue.describe("for one more row"),
  spent: amountValue.describe("by the owner"),
  agents: z.array(
    z.strictObject({ name: z.string(), balance: amountValue.describe("with what it is owed; without gas") }),
  ),
});

export const campaignEndOutput = z.strictObject({
  event: z.literal("campaignEnd"),
  name: z.string(),
  seed: z.string(),
  days: count,
  rows: count,
  wrong: count,
  fixes: z.strictObject({ right: count, false: count }),
  accuracy: z.strictObject({ before: accuracy, after: accuracy }),
  spent: amountValue.describe("by the owner"),
  panel: amountValue.describe("earned by the members of panels together"),
  agents: z.array(
    z.strictObject({
      name: z.string(),
      kind: z.enum(Object.keys(agentKinds) as [keyof typeof agentKinds]),
      begin: amountValue,
      balance: amountValue,
      percent: z.number().describe("of what it began with, two decimals"),
    }),
  ),
});
