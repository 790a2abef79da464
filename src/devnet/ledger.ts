import { JsonRpcProvider } from "ethers";
import type { NetworkConfig } from "../config/network-schema.ts";
import type { Address, JobId } from "../protocol/ids.ts";

export interface JobCost {
  readonly txs: number;
  readonly gas: bigint;
}

/** Counts the transactions that moved one job, and their gas, from the escrow's own logs. */
export async function costOf(
  network: NetworkConfig,
  jobId: JobId,
  escrow: Address = network.contracts.escrow,
): Promise<JobCost> {
  const provider = new JsonRpcProvider(network.rpcUrl, network.chainId, { staticNetwork: true });
  try {
    const logs = await provider.getLogs({
      address: escrow,
      topics: [null, jobId],
      fromBlock: 0,
    });
    const hashes = [...new Set(logs.map(({ transactionHash }) => transactionHash))];
    const receipts = await Promise.all(hashes.map((hash) => provider.getTransactionReceipt(hash)));
    return { txs: hashes.length, gas: receipts.reduce((sum, receipt) => sum + (receipt?.gasUsed ?? 0n), 0n) };
  } finally {
    provider.destroy();
  }
}
