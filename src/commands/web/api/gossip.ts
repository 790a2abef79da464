import { z } from "zod";
import type { WebEndpoint } from "../../../web/endpoint.ts";
import { outputs } from "../../output/all.ts";
import { gossipShowOutput } from "../../output/gossip.ts";
import { addressValue } from "../../output/values.ts";
import { nothing } from "./values.ts";

const count = z.number().int().nonnegative();
const chain = gossipShowOutput.shape.chains.element;

export const gossipApi = {
  gossip: {
    method: "GET",
    path: "/api/gossip",
    summary: "The home's gossip peers: their chains as they are kept, not verified, and the one that runs",
    input: nothing,
    output: z.strictObject({
      running: outputs.status.shape.daemons.element.optional().describe("absent where none runs"),
      networks: z.array(
        z.strictObject({
          name: z.string(),
          account: addressValue.optional().describe("absent where there is no block"),
          count: count.describe("of all finished blocks"),
          blocks: chain.shape.blocks.describe("the newest ones, oldest first"),
          witnesses: chain.shape.witnesses.describe("who confirmed how many receipts of these"),
          why: z.string().optional().describe("for people: why the chain cannot be shown"),
        }),
      ),
    }),
  },
} as const satisfies Readonly<Record<string, WebEndpoint>>;
