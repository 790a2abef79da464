import { z } from "zod";
import { tiers } from "../../protocol/offer.ts";
import { address, amount, bytes, folder, jobId, jobState, seconds, verdict } from "./values.ts";

export const devnet = z.strictObject({
  event: z.literal("ready"),
  dir: folder,
  network: z.looseObject({ chainId: z.number().int(), rpcUrl: z.string() }).describe("as in a network file"),
  env: z.strictObject({ ICHAIN_HOME: folder, ICHAIN_PASSWORD_FILE: folder }),
  requester: address,
});

const phase = seconds.optional();

export const demo = z.strictObject({
  jobId,
  state: jobState,
  verdict,
  metric: z.strictObject({ name: z.string(), value: z.number().nullable() }),
  rating: z.strictObject({ score: z.number(), count: z.number(), sum: z.number() }).optional(),
  txs: z.number().int(),
  gas: z.union([amount, z.number()]),
  transport: z.literal("onion"),
  engine: z.literal("docker"),
  tier: z.enum(tiers).optional(),
  bytes: z.strictObject({ bundle: bytes.optional(), result: bytes.optional() }),
  folder,
  files: z.array(z.string()),
  seconds: z.strictObject({
    total: seconds,
    devnet: seconds,
    hosted: phase,
    fetched: phase,
    ran: phase,
    collected: phase,
    validated: phase,
    claimed: phase,
    got: phase,
  }),
});
