import { connectRpc } from "../../chain/rpc/rpc.ts";

/** The calls that only development chains know, the same in Hardhat's and in anvil. */
export async function increaseTime(rpcUrl: string, seconds: number): Promise<void> {
  const rpc = connectRpc(rpcUrl);
  await rpc.send("evm_increaseTime", [seconds]);
  // The new time shows only in a block.
  await rpc.send("evm_mine", []);
}
