import { z } from "zod";
import { type Address, isAddress } from "../protocol/ids.ts";
import { tokenNameSchema } from "../protocol/token.ts";

const address = z.custom<Address>(isAddress, "must be an address: 0x and 40 hexadecimal digits");
const url = z
  .string()
  .max(2048)
  .refine(
    (text) => /^https?:\/\//.test(text) && URL.canParse(text),
    "must be an http:// or https:// address",
  );

/** A chain, the market's contracts on it, and the Tor network that belongs to it when it is private. */
export const networkSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "must be lower-case letters, digits and dashes")
    .describe("what the network is called"),
  chainId: z.number().int().positive().max(Number.MAX_SAFE_INTEGER).describe("EIP-155 id of the chain"),
  rpcUrl: url.describe("JSON-RPC address of a node"),
  rpcUrls: z
    .array(url)
    .max(8)
    .optional()
    .describe("more nodes of the same chain; a quorum of all decides (docs/limits.md)"),
  contracts: z
    .strictObject({
      escrow: address.describe("of JobEscrow"),
      registry: address.describe("of ProviderRegistry"),
      rating: address.describe("of ProviderRating"),
      federated: address.optional().describe("of FederatedEscrow; without it there are no federated jobs"),
      campaigns: address.optional().describe("of DataCampaign; without it there are no data campaigns"),
      improvements: address
        .optional()
        .describe("of ImprovementMarket; without it campaigns have no improvement markets"),
      block: z
        .number()
        .int()
        .nonnegative()
        .optional()
        .describe("the block they were deployed in, from which the index starts"),
    })
    .describe("addresses of the deployed market"),
  tokens: z
    .record(tokenNameSchema, address)
    .refine((tokens) => Object.keys(tokens).length <= 32, "must be at most 32")
    .default({})
    .describe("tokens that jobs may be paid in, by the names that job.yaml and policy.yaml use for them"),
  confirmations: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(3)
    .describe("blocks from an event's own up to the newest, both counted, before it is acted on"),
  pollMs: z
    .number()
    .int()
    .min(50)
    .max(60_000)
    .default(2000)
    .describe("milliseconds between two polls of the chain"),
  dataFee: z
    .enum(["op-stack"])
    .optional()
    .describe(
      "how the chain charges for data beside gas: `op-stack` asks its GasPriceOracle; absent, not at all",
    ),
  torrc: z
    .string()
    .max(65_536)
    .optional()
    .describe("torrc lines of a private Tor network, or a path to a file of them"),
});
export type NetworkConfig = z.infer<typeof networkSchema>;
