import type { Interface, Result } from "ethers";
import type { Waits } from "../ports/market.ts";
import type { Address } from "../protocol/ids.ts";
import { hexNumber } from "./blocks.ts";
import type { Rpc } from "./rpc.ts";

/** The view functions of one deployed contract. */
export interface Contract {
  /** Its answer as of `block`, or of the newest. Throws `RpcRefusal` on a revert. */
  read(name: string, args: readonly unknown[], options?: Waits & { block?: number }): Promise<Result>;
}

export function bindContract(rpc: Rpc, address: Address, abi: Interface): Contract {
  return {
    async read(name, args, { block, ...waits } = {}) {
      const call = { to: address, data: abi.encodeFunctionData(name, args) };
      const answer = await rpc.send(
        "eth_call",
        [call, block === undefined ? "latest" : hexNumber(block)],
        waits,
      );
      return abi.decodeFunctionResult(name, answer as string);
    },
  };
}
