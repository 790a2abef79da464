import { z } from "zod";
import { improvementStates } from "../../../protocol/campaign/improvement/market.ts";
import { replayModels } from "../../../protocol/campaign/improvement/replay-models.ts";
import { addressValue, amountValue, hashValue, instantValue, tokenValue } from "../values.ts";

const campaignId = hashValue.describe("the campaign's whole id");
const entry = z.number().int().nonnegative();
const payout = z.strictObject({
  entry: entry.optional().describe("absent: the owner's part"),
  account: addressValue,
  amount: amountValue,
});
const market = z.strictObject({
  campaignId,
  state: z.enum(improvementStates),
  stands: z.string().describe("in words"),
  owner: addressValue,
  token: tokenValue,
  bounty: amountValue,
  leastStake: amountValue,
  fee: amountValue.describe("of each of the panel's three"),
  showBy: instantValue,
  replay: z
    .strictObject({ model: z.enum(replayModels), words: z.number().int() })
    .optional()
    .describe("absent: this release does not know it"),
  deadline: instantValue.describe("of the present step"),
  held: amountValue,
  stakes: z.array(
    z.strictObject({
      entry,
      author: addressValue,
      amount: amountValue,
      paid: amountValue.optional().describe("credited"),
    }),
  ),
  ownersPart: amountValue.optional().describe("credited"),
  panel: z
    .array(z.strictObject({ member: addressValue, committed: z.boolean(), root: hashValue.optional() }))
    .describe("in `improve show` alone"),
  root: hashValue.optional().describe("the majority's, of all payouts"),
});

export const improveOutputs = {
  open: z.strictObject({
    campaignId,
    locks: amountValue.describe("bounty and fees"),
    token: tokenValue,
    showBy: instantValue,
    dryRun: z.literal(true).optional(),
  }),
  list: z.strictObject({ markets: z.array(market) }),
  show: market,
  stake: z.strictObject({ campaignId, entry, amount: amountValue, token: tokenValue }),
  vote: z.strictObject({
    campaignId,
    root: hashValue,
    payouts: z.array(payout).optional(),
    dryRun: z.literal(true).optional(),
  }),
  take: z.strictObject({
    campaignId,
    done: z.array(z.enum(["begin", "draw", "settle", "sweep", "refund"])),
    claimed: z.array(payout),
  }),
} as const;
