import { z } from "zod";
import { campaignRoles } from "../../../protocol/campaign/campaign.ts";
import type { WebEndpoint } from "../../../web/endpoint.ts";
import { dataOutputs } from "../../output/campaign.ts";
import { modelOutput, versionsOutput } from "../../output/data/versions.ts";
import { addressValue, hashValue, instantValue } from "../../output/values.ts";
import { moneyText, nowValue, printedValue } from "./values.ts";

const count = z.number().int().nonnegative();

const campaignIdInput = z.strictObject({
  id: z
    .string()
    .regex(/^(0x)?[0-9a-f]{4,64}$/)
    .describe("of a campaign, or its first digits"),
});

/** A row of the list of campaigns. */
const campaignRowValue = z.strictObject({
  campaignId: hashValue,
  name: z.string().optional().describe("a stranger's words; absent where they are not what the terms say"),
  state: z.enum(["open", "closed"]),
  roles: z.array(z.enum(campaignRoles)).describe("what this account is in it"),
  closesAt: instantValue,
  rows: z.strictObject({ added: count, left: count }),
  deposit: moneyText.describe("for one more row, now"),
  price: moneyText.describe("of an accepted row"),
});

/** What is shown of a list, and how long all of it is. */
const some = <Item extends z.ZodType>(item: Item) => z.strictObject({ count, shown: z.array(item) });

const oneCampaign = campaignRowValue.extend({
  now: nowValue,
  about: z.string().optional().describe("a stranger's words"),
  why: z.string().describe("where it stands, and whose turn it is"),
  owner: addressValue,
  ...{ bond: moneyText, reward: moneyText, held: moneyText },
  terms: z.array(z.tuple([z.string(), z.string()])).describe("name and value, for people"),
  due: z
    .strictObject({ refund: count, take: count, close: z.boolean() })
    .describe("what this account can do for the campaign now"),
  entries: some(dataOutputs.show.shape.entries.element.extend({ deposit: moneyText })).describe(
    "the newest first",
  ),
  fixes: some(
    dataOutputs.show.shape.fixes.element.extend({
      original: z.string().optional().describe("the row, a stranger's words, where this home has fetched it"),
      corrected: z.string().optional().describe("the row that takes its place, a stranger's words"),
      absent: z.boolean().describe("it says that the data has no such row"),
      judges: z.boolean().describe("whether this account can judge it now, as the owner"),
    }),
  ).describe("those that are open first"),
  accounts: some(
    z.strictObject({
      account: addressValue,
      own: z.boolean(),
      ...{ paid: moneyText, credited: moneyText },
      balance: moneyText.describe("credits less payments"),
    }),
  ).describe("what gained most first"),
  history: z.strictObject({
    at: z.array(instantValue),
    rows: z.array(count).describe("added by then"),
    symbol: z.string(),
    balances: z
      .array(z.strictObject({ account: addressValue, values: z.array(z.number()) }))
      .describe("of those that gained or lost most, whole units of the token, rounded"),
  }),
  versions: versionsOutput.shape.versions.describe("published ones, then those that this home had trained"),
});

const act = <Output extends z.ZodType>(verb: string, summary: string, output: Output) =>
  ({
    method: "POST",
    path: `/api/campaigns/:id/${verb}`,
    summary: `${summary}; needs the page unlocked`,
    input: campaignIdInput,
    output: printedValue(output),
  }) as const;

export const campaignsApi = {
  campaigns: {
    method: "GET",
    path: "/api/campaigns",
    summary: "Data campaigns, 50 at once",
    input: z.strictObject({
      which: z
        .enum(["open", "all"])
        .default("open")
        .describe("open: those that take rows, or hold money and concern this account"),
      from: z.coerce.number().int().min(0).max(1e6).default(0),
    }),
    output: z.strictObject({
      now: nowValue,
      count,
      from: count,
      campaigns: z.array(campaignRowValue).describe("newest first"),
    }),
  },
  campaign: {
    method: "GET",
    path: "/api/campaigns/:id",
    summary: "One data campaign",
    input: campaignIdInput,
    output: oneCampaign,
  },
  add: {
    ...act("add", "Add rows, with a deposit for each; or say what that would lock", dataOutputs.add),
    input: campaignIdInput.extend({
      rows: z.string().min(1).max(60_000).describe("a row a line"),
      most: z
        .string()
        .regex(/^\d{1,39}$/)
        .optional()
        .describe("most for a row's deposit, as was said before; needed unless `dryRun`"),
      dryRun: z.boolean().default(false).describe("say what would be locked, and do nothing"),
    }),
  },
  fix: {
    ...act("fix", "Correct or remove another's row, with a bond", dataOutputs.fix),
    input: campaignIdInput.extend({
      row: z
        .string()
        .regex(/^\d{1,9}\/\d{1,9}$/)
        .describe("entry/row, both from 0"),
      how: z.enum(["with", "remove", "absent"]).describe("another in its place, without one, or no such row"),
      text: z.string().max(1024).default("").describe("the row as it should be, where `how` is `with`"),
    }),
  },
  judge: {
    ...act("judge", "Say whether a fix is right, as the campaign's owner", dataOutputs.judge),
    input: campaignIdInput.extend({
      place: z.string().regex(/^\d{1,9}\/\d{1,9}\/\d{1,9}$/),
      verdict: z.enum(["right", "wrong"]),
    }),
  },
  take: act("take", "End the fixes that are decided or out of time", dataOutputs.settle),
  refund: act("refund", "Pay the authors of rows that can no longer be fixed", dataOutputs.settle),
  close: act("close", "Take no more rows", dataOutputs.close),
  rows: act(
    "rows",
    "Write a campaign's rows beside where the page was started",
    z.union([dataOutputs.get, modelOutput]),
  ),
} as const satisfies Readonly<Record<string, WebEndpoint>>;
