import { getAddress, id as keccakOf } from "ethers";
import { connectRpc } from "../../../src/chain/rpc/rpc.ts";
import type { Address, Hex } from "../../../src/protocol/ids.ts";
import { compile } from "./compile.ts";

const SUPPLY = 10n ** 24n;

/** Contracts of test/contracts/support/Tokens.sol. */
export type TokenContract = "PlainToken" | "PermitToken" | "CautiousToken";

async function create(rpcUrl: string, owner: Address, name: TokenContract | "ScriptedToken") {
  const rpc = connectRpc(rpcUrl);
  const { abi, bytecode } = compile("test/contracts/support/Tokens.sol", name);
  const send = async (to: Address | undefined, data: string) => {
    const hash = await rpc.send("eth_sendTransaction", [{ from: owner, to, data, gas: "0x2dc6c0" }]);
    return (await rpc.send("eth_getTransactionReceipt", [hash])) as { contractAddress: Address };
  };
  const { contractAddress } = await send(undefined, bytecode);
  const address = getAddress(contractAddress) as Address;
  const call = (fn: string, args: readonly unknown[]) => send(address, abi.encodeFunctionData(fn, [...args]));
  return { rpc, abi, address, call };
}

/** A plain ERC-20, all of it `owner`'s, an account of a development chain; or one with permits and a freezing issuer. */
export async function deployToken(rpcUrl: string, owner: Address, name: TokenContract = "PlainToken") {
  const { rpc, abi, address, call } = await create(rpcUrl, owner, name);
  await call("mint", [owner, SUPPLY]);
  return {
    address,
    transfer: (to: Address, amount: bigint) => call("transfer", [to, amount]),
    freeze: (account: Address) => call("freeze", [account]),
    async domain(): Promise<Hex> {
      const data = abi.encodeFunctionData("DOMAIN_SEPARATOR");
      return (await rpc.send("eth_call", [{ to: address, data }, "latest"])) as Hex;
    },
    async balance(account: Address): Promise<bigint> {
      const data = abi.encodeFunctionData("balanceOf", [account]);
      return BigInt((await rpc.send("eth_call", [{ to: address, data }, "latest"])) as string);
    },
  };
}

/** A contract that answers each view function, such as `symbol()`, with these bytes. */
export async function deployScripted(rpcUrl: string, owner: Address, answers: Readonly<Record<string, Hex>>) {
  const { address, call } = await create(rpcUrl, owner, "ScriptedToken");
  const answer = (signature: string, data: Hex) => call("answer", [keccakOf(signature).slice(0, 10), data]);
  for (const [signature, data] of Object.entries(answers)) await answer(signature, data);
  return { address, answer };
}
