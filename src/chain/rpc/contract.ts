import type { Interface, Result } from "ethers";
import { z } from "zod";
import type { AbortOptions } from "../../async/abort.ts";
import type { Address } from "../../protocol/ids.ts";
import { hexNumber } from "./blocks.ts";
import { answered, unusableAnswer } from "./quantities.ts";
import type { Rpc } from "./rpc.ts";

export interface ReadOptions extends AbortOptions {
  /** As of this block; absent, the newest. */
  readonly block?: number | undefined;
}

/** The view functions of one deployed contract. */
export interface Contract {
  /** @throws RpcRefusal on a revert */
  read(name: string, args: readonly unknown[], options?: ReadOptions): Promise<Result>;
  /** The encoded answer. */
  readBytes(name: string, args: readonly unknown[], options?: ReadOptions): Promise<Uint8Array>;
  decode(name: string, answer: Uint8Array): Result;
}

const bytes = z.string().regex(/^0x(?:[0-9a-f]{2})*$/i);

export function bindContract(rpc: Rpc, address: Address, abi: Interface): Contract {
  const contract: Contract = {
    async readBytes(name, args, { block, ...abortOptions } = {}) {
      const call = { to: address, data: abi.encodeFunctionData(name, args) };
      const tag = block === undefined ? "latest" : hexNumber(block);
      const answer = answered(bytes, await rpc.send("eth_call", [call, tag], abortOptions), `${name}()`);
      return Buffer.from(answer.slice(2), "hex");
    },
    decode(name, answer) {
      try {
        return abi.decodeFunctionResult(name, answer);
      } catch (cause) {
        throw unusableAnswer(`${name}()`, cause);
      }
    },
    read: async (name, args, options) => contract.decode(name, await contract.readBytes(name, args, options)),
  };
  return contract;
}
