import { connectRpc } from "../../../src/chain/rpc/rpc.ts";
import type { EvmNode } from "../../../src/devnet/evm/node.ts";

/** What tests make a development chain do; the same on Hardhat's node and on anvil. */
export function controls({ rpcUrl, client }: EvmNode) {
  const rpc = connectRpc(rpcUrl);
  return {
    /** From now on blocks are mined only by `mine`. */
    holdMining: () => rpc.send("evm_setAutomine", [false]),
    mineAtOnce: () => rpc.send("evm_setAutomine", [true]),
    mine: async (blocks = 1) => {
      for (let i = 0; i < blocks; i++) await rpc.send("evm_mine", []);
    },
    /** Takes a transaction out of the pool. */
    drop: (hash: string) => rpc.send(`${client}_dropTransaction`, [hash]),
    snapshot: async () => (await rpc.send("evm_snapshot", [])) as string,
    revert: (snapshot: string) => rpc.send("evm_revert", [snapshot]),
    height: async () => Number(await rpc.send("eth_blockNumber", [])),
    nonce: async (account: string) => Number(await rpc.send("eth_getTransactionCount", [account, "latest"])),
  };
}
