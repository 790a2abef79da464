import { z } from "zod";
import { tiers } from "../../protocol/offer.ts";
import {
  addressValue,
  amountValue,
  bytesValue,
  folderValue,
  hashValue,
  jobIdValue,
  jobStateValue,
  secondsValue,
  verdictValue,
} from "./values.ts";

export const devnetOutput = z.strictObject({
  event: z.literal("ready"),
  dir: folderValue,
  network: z.looseObject({ chainId: z.number().int(), rpcUrl: z.string() }).describe("as in a network file"),
  env: z.strictObject({ ICHAIN_HOME: folderValue, ICHAIN_PASSWORD_FILE: folderValue }),
  requester: addressValue,
});

export const devnetFundOutput = z.strictObject({
  account: addressValue,
  balance: amountValue.describe("wei that it holds now"),
});

const phase = secondsValue.optional();

const demonstrated = z.strictObject({
  jobId: jobIdValue,
  state: jobStateValue,
  verdict: verdictValue,
  metric: z.strictObject({ name: z.string(), value: z.number().nullable() }),
  rating: z.strictObject({ score: z.number(), count: z.number(), sum: z.number() }).optional(),
  txs: z.number().int(),
  gas: z.union([amountValue, z.number()]),
  transport: z.literal("onion"),
  engine: z.literal("docker"),
  tier: z.enum(tiers).optional(),
  bytes: z.strictObject({ bundle: bytesValue.optional(), result: bytesValue.optional() }),
  folder: folderValue,
  files: z.array(z.string()),
  seconds: z.strictObject({
    total: secondsValue,
    devnet: secondsValue,
    hosted: phase,
    fetched: phase,
    ran: phase,
    collected: phase,
    validated: phase,
    claimed: phase,
    got: phase,
  }),
});

const demonstratedRounds = z.strictObject({
  jobId: jobIdValue,
  rounds: z.number().int(),
  accuracy: z.number().describe("of the last model, on rows that no provider has"),
  providers: z.array(
    z.strictObject({
      account: addressValue,
      plays: z.string().describe("`honest`, or how it cheats"),
      pay: amountValue,
    }),
  ),
  txs: z.number().int(),
  gas: z.union([amountValue, z.number()]),
  folder: folderValue.describe("of the second version, as a contributor's home fetched it"),
  seconds: z.strictObject({
    total: secondsValue,
    devnet: secondsValue,
    firstRound: secondsValue.describe("from `submit` on"),
    laterRound: secondsValue.describe("mean of the others"),
  }),
});

const count = z.number().int().nonnegative();

const demonstratedNetwork = z.strictObject({
  peers: z.array(
    z.strictObject({
      peer: count,
      account: addressValue,
      blocks: count.describe("finished, and verified by the demo"),
      transactions: count,
      receipts: count,
      confirmations: count.describe("of them"),
      accuracy: z.number().describe("on rows that measure, which no peer trains on"),
      chain: folderValue,
    }),
  ),
  folder: folderValue,
  seconds: z.strictObject({
    total: secondsValue,
    network: secondsValue.describe("until all peers could be reached"),
    blocks: secondsValue,
  }),
});

const demonstratedCampaign = z.strictObject({
  campaignId: hashValue,
  versions: z.array(
    z.strictObject({
      version: count,
      jobId: jobIdValue,
      provider: addressValue,
      rows: count.describe("that it was trained on"),
      score: z.number().describe("on the hidden test set"),
      checked: z
        .array(z.string())
        .describe("what a contributor's home compared of it, and found right or wrong or could not"),
    }),
  ),
  contributors: z.array(
    z.strictObject({
      plays: z.enum(["careful", "careless"]),
      account: addressValue,
      paid: amountValue.describe("deposits and bonds"),
      credited: amountValue,
    }),
  ),
  txs: z.number().int(),
  gas: z.union([amountValue, z.number()]),
  folder: folderValue,
  seconds: z.strictObject({
    total: secondsValue,
    devnet: secondsValue,
    first: secondsValue.describe("until the first version"),
    second: secondsValue.describe("from there to the second"),
  }),
});

/** `demo`: of an ordinary job, with --federated, with --gossip, or with --campaign. */
export const demoOutput = z.union([
  demonstrated,
  demonstratedRounds,
  demonstratedNetwork,
  demonstratedCampaign,
]);
