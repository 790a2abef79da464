import { z } from "zod";
import { tiers } from "../../protocol/offer.ts";
import {
  addressValue,
  amountValue,
  bytesValue,
  folderValue,
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

export const demoOutput = z.strictObject({
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
