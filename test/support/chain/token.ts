import { connectRpc } from "../../../src/chain/rpc/rpc.ts";
import type { Address } from "../../../src/protocol/ids.ts";
import { compile } from "./compile.ts";

const SUPPLY = 10n ** 24n;

/** A plain ERC-20, all of it `owner`'s, an account of a development chain. */
export async function deployToken(rpcUrl: string, owner: Address) {
  const rpc = connectRpc(rpcUrl);
  const send = async (to: Address | undefined, data: string) => {
    const hash = await rpc.send("eth_sendTransaction", [{ from: owner, to, data, gas: "0x2dc6c0" }]);
    return (await rpc.send("eth_getTransactionReceipt", [hash])) as { contractAddress: Address };
  };
  const { abi, bytecode } = compile("test/contracts/support/Tokens.sol", "PlainToken");
  const { contractAddress: address } = await send(undefined, bytecode);
  await send(address, abi.encodeFunctionData("mint", [owner, SUPPLY]));
  return {
    address,
    transfer: (to: Address, amount: bigint) =>
      send(address, abi.encodeFunctionData("transfer", [to, amount])),
    async balance(account: Address): Promise<bigint> {
      const data = abi.encodeFunctionData("balanceOf", [account]);
      return BigInt((await rpc.send("eth_call", [{ to: address, data }, "latest"])) as string);
    },
  };
}
