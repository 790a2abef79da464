import { setTimeout as delay } from "node:timers/promises";
import type { Abortable } from "../../async/abort.ts";
import { artifactOf } from "../../chain/abi/artifacts.ts";
import { connectRpc } from "../../chain/rpc/rpc.ts";
import type { Address } from "../../protocol/ids.ts";

const POLL_MS = 500;
/** One more than the contracts wait for the block whose hash draws. */
const BLOCKS = 3;
const drawn = {
  FederatedEscrow: ["Begun", "Disputed", "DrawMissed"],
  DataCampaign: ["Opened", "Appealed", "PanelMissed"],
  ImprovementMarket: ["MarketBegan"],
} as const;

/**
 * Mines the blocks that draws of federated jobs, data campaigns and improvement markets wait for: a development chain
 * without traffic makes none. Runs until `signal` aborts.
 */
export async function mineForDraws(
  rpcUrl: string,
  contracts: readonly Address[],
  { signal }: Abortable,
): Promise<void> {
  const topics = (Object.keys(drawn) as (keyof typeof drawn)[]).flatMap((name) =>
    drawn[name].map((event) => artifactOf(name).abi.getEvent(event)!.topicHash),
  );
  const rpc = connectRpc(rpcUrl);
  let from = 0;
  while (!signal.aborted) {
    try {
      const head = Number(await rpc.send("eth_blockNumber", []));
      if (head >= from) {
        const range = { fromBlock: `0x${from.toString(16)}`, toBlock: `0x${head.toString(16)}` };
        const logs = (await rpc.send("eth_getLogs", [
          { ...range, address: contracts, topics: [topics] },
        ])) as unknown[];
        from = head + 1;
        if (logs.length > 0) for (let i = 0; i < BLOCKS; i++) await rpc.send("evm_mine", []);
      }
      await delay(POLL_MS, undefined, { signal });
    } catch {
      // The node is ending, or busy: asked again unless this one ends too.
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
