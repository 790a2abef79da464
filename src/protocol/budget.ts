import { z } from "zod";
import { amountText, parseAmount, type TokenInfo } from "./amounts.ts";
import { amountSchema } from "./quantity.ts";
import { tokenRefSchema } from "./token.ts";

const limit = (what: string) => amountSchema.optional().describe(`Most that ${what}, in the token`);

/** What a home may lock in jobs and data campaigns (`budgets` in config.yaml), in one means of payment. */
export const budgetSchema = z.strictObject({
  token: z
    .union([z.literal("coin"), tokenRefSchema])
    .default("coin")
    .describe("`coin`, a token's name in the network file, or its address"),
  perJob: limit("one job, or one act in a data campaign, may lock"),
  perDay: limit("those of the last 24 hours may lock together"),
  total: limit("all that the journal records (`keep.recordDays`) may lock together"),
});
export type Budget = z.infer<typeof budgetSchema>;

/** Accounts that a requester does not ask (`avoid` in config.yaml and job.yaml). */
export const avoidSchema = z.array(z.string().regex(/^0x[0-9a-fA-F]{40}$/)).max(10_000);

/** What jobs lock (price and validators' fees), and campaigns (prices, deposits, bonds), in the token's smallest unit. */
export interface Spending {
  readonly job: bigint;
  /** Of the jobs before it, in the last 24 hours. */
  readonly day: bigint;
  /** Of all jobs before it that are recorded. */
  readonly total: bigint;
}

/** Which limit it would exceed, for people; undefined where it fits. */
export function overBudget(
  budget: Budget,
  { job, day, total }: Spending,
  { symbol, decimals }: TokenInfo,
): string | undefined {
  const spent = { perJob: job, perDay: day + job, total: total + job };
  for (const name of ["perJob", "perDay", "total"] as const) {
    const text = budget[name];
    if (text === undefined) continue;
    const most = parseAmount(text, decimals);
    if (most === undefined) return `the budget's ${name} of ${text} has more decimals than ${symbol}`;
    if (spent[name] > most) {
      const before = spent[name] - job;
      const beside = before > 0n ? ` beside ${amountText(before, decimals)} locked before` : "";
      return `it locks ${amountText(job, decimals)} ${symbol}${beside}, and ${name} is ${text}`;
    }
  }
  return undefined;
}
