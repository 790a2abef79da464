import { z } from "zod";
import { fixStates } from "../../protocol/campaign/actions.ts";
import { campaignRoles } from "../../protocol/campaign/campaign.ts";
import { agentKinds } from "../../protocol/campaign/scenario.ts";
import {
  addressValue,
  amountValue,
  folderValue,
  hashValue,
  instantValue,
  secondsValue,
  tokenValue,
} from "./values.ts";

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
  plot: z.string().optional().describe("the file of the curves"),
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

const campaignIdValue = hashValue.describe("the campaign's whole id");
const fixValue = z
  .string()
  .regex(/^\d+\/\d+\/\d+$/)
  .describe("entry/row/fix, each from 0");
const verdict = z.enum(["right", "wrong"]);
const locking = {
  locks: amountValue.describe("what the call takes"),
  token: tokenValue,
  dryRun: z.literal(true).optional().describe("nothing was done"),
};

const campaignValue = z.strictObject({
  campaignId: campaignIdValue,
  name: z.string().optional().describe("absent where its description is not what its terms have the hash of"),
  about: z.string().optional().describe("what a row is, and when one is wrong"),
  readers: z
    .array(hashValue)
    .optional()
    .describe("keys of those that can read the rows, the owner's first; absent where everybody can"),
  state: z.enum(["open", "closed"]),
  roles: z.array(z.enum(campaignRoles)).describe("what this account is in it"),
  owner: addressValue,
  token: tokenValue,
  closesAt: instantValue,
  rows: z.strictObject({ added: count, left: count }),
  deposit: amountValue.describe("for one more row, now"),
  price: amountValue.describe("of an accepted row"),
  reward: amountValue.describe("of a corrected row"),
  bond: amountValue.describe("of a fix"),
  fee: amountValue.describe("of each member of a panel"),
  windows: z.strictObject({ fix: secondsValue, step: secondsValue }),
  hidden: z.strictObject({
    slices: count,
    first: count.optional().describe("drawn to be shown first"),
    shown: z.array(count),
  }),
  held: amountValue.describe("what the contract holds of it and owes no account yet"),
});

export const dataOutputs = {
  open: z.strictObject({ campaignId: campaignIdValue, ...locking, closesAt: instantValue }),
  key: z.strictObject({
    account: addressValue,
    key: hashValue.describe("what a private campaign names its reader by"),
  }),
  list: z.strictObject({ campaigns: z.array(campaignValue) }),
  show: campaignValue.extend({
    entries: z.array(
      z.strictObject({
        entry: count,
        author: addressValue,
        rows: count,
        deposit: amountValue.describe("for each row"),
        fixableUntil: instantValue,
        contested: count.describe("rows that a fix holds or has upset"),
        refunded: z.boolean().describe("the others are paid"),
        fate: z.string().describe("in words"),
      }),
    ),
    fixes: z.array(
      z.strictObject({
        place: fixValue,
        fixer: addressValue,
        state: z.enum(fixStates),
        verdict: verdict.optional(),
        removes: z.boolean(),
        deadline: instantValue.describe("of its present step"),
        panel: z.array(
          z.strictObject({ member: addressValue, committed: z.boolean(), vote: verdict.optional() }),
        ),
        fate: z.string().describe("in words"),
      }),
    ),
    plot: z.string().optional().describe("the file of the curves"),
  }),
  why: campaignValue.extend({
    owed: amountValue.describe("to this account, by the contract of campaigns, in the campaign's token"),
    stands: z.string().describe("where it stands"),
    next: z.string().describe("who can act, and by when: this account, where it can"),
    otherwise: z.string().describe("what happens if no one does"),
    turns: z
      .array(
        z.strictObject({
          who: z.string().describe("in words"),
          accounts: z.array(addressValue).describe("that may; where anyone may, those that it pays"),
          yours: z.boolean().describe("this account is among them"),
          until: instantValue.optional().describe("absent where it stays possible"),
          ...{ does: z.string(), command: z.string(), otherwise: z.string() },
        }),
      )
      .describe("all that can be done now, the soonest first"),
  }),
  get: z.strictObject({
    campaignId: campaignIdValue,
    folder: folderValue,
    rows: count,
    missing: z.array(z.strictObject({ entry: count, code: z.string() })).describe("entries left out"),
  }),
  add: z.strictObject({
    campaignId: campaignIdValue,
    rows: count,
    deposit: amountValue.describe("most for each row"),
    ...locking,
    entry: count.optional(),
  }),
  fix: z.strictObject({
    campaignId: campaignIdValue,
    place: fixValue,
    bond: amountValue,
    token: tokenValue,
  }),
  judge: z.strictObject({ campaignId: campaignIdValue, place: fixValue, verdict }),
  appeal: z.strictObject({
    campaignId: campaignIdValue,
    place: fixValue,
    fees: amountValue,
    token: tokenValue,
    panel: z.array(addressValue).describe("who judges; empty where none could be drawn"),
  }),
  settle: z.strictObject({
    campaignId: campaignIdValue,
    settled: z.array(
      z.strictObject({
        kind: z.enum(["take", "empanel", "refund"]),
        place: fixValue.optional(),
        entry: count.optional(),
      }),
    ),
  }),
  reveal: z.strictObject({ campaignId: campaignIdValue, slice: count, of: count }),
  close: z.strictObject({ campaignId: campaignIdValue, back: amountValue, token: tokenValue }),
};
