import { Contract, JsonRpcProvider, type Result } from "ethers";
import { artifactOf } from "../../../src/chain/abi/artifacts.ts";
import { toOffer } from "../../../src/chain/indexer/offer-row.ts";
import type { Address } from "../../../src/protocol/ids.ts";
import type { Offer } from "../../../src/protocol/offer.ts";
import type { TestChain } from "./chain.ts";

/** The contracts asked directly, past the index. */
export function readRegistry({ node, addresses }: TestChain) {
  const provider = new JsonRpcProvider(node.rpcUrl, node.chainId, { staticNetwork: true, cacheTimeout: -1 });
  const registry = new Contract(addresses.registry, artifactOf("ProviderRegistry").abi, provider);
  const { abi } = artifactOf("JobEscrow");
  return {
    async offer(account: Address): Promise<Offer | undefined> {
      return toOffer(((await registry.getFunction("offerOf")(account)) as Result).toObject(true))?.offer;
    },
    /** Names of the escrow's events, by its ABI, that the chain has no log of. */
    async unseenEvents(): Promise<string[]> {
      const logs = await provider.getLogs({ address: addresses.escrow, fromBlock: 0 });
      const seen = new Set(logs.map(({ topics }) => topics[0]));
      const names: string[] = [];
      abi.forEachEvent(({ name, topicHash }) => {
        if (!seen.has(topicHash)) names.push(name);
      });
      return names;
    },
    close: () => provider.destroy(),
  };
}
