import { randomBytes } from "node:crypto";
import { Interface } from "ethers";
import type { AbortOptions } from "../../async/abort.ts";
import { toHex } from "../../protocol/bytes.ts";
import type { Address } from "../../protocol/ids.ts";
import { bindContract } from "./contract.ts";
import type { Rpc } from "./rpc.ts";

/** The predeployed contract of every OP Stack chain (specs.optimism.io, "Predeploys"). */
const GAS_PRICE_ORACLE: Address = "0x420000000000000000000000000000000000000F";
const abi = new Interface(["function getL1Fee(bytes data) view returns (uint256)"]);

/**
 * Wei that an OP Stack chain charges now for the data of transactions of these sizes, bytes, beside gas. Taken with
 * bytes that do not compress, so it is an upper bound.
 * @throws RpcRefusal, CHAIN_UNAVAILABLE where the chain is none of these
 */
export async function readDataFee(
  rpc: Rpc,
  sizes: readonly number[],
  options: AbortOptions = {},
): Promise<bigint> {
  const oracle = bindContract(rpc, GAS_PRICE_ORACLE, abi);
  const ask = async (size: number) =>
    (await oracle.read("getL1Fee", [toHex(randomBytes(size))], options))[0] as bigint;
  const fees = await Promise.all(sizes.map(ask));
  return fees.reduce((sum, fee) => sum + fee, 0n);
}
