import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Interface } from "ethers";
import { connectRpc } from "../../src/chain/rpc/rpc.ts";
import type { Address, Hex } from "../../src/protocol/ids.ts";

const require = createRequire(import.meta.url);
const SOURCE = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
contract Token is ERC20("Token", "TKN") {
    constructor() { _mint(msg.sender, 1e24); }
}`;

const abi = new Interface([
  "function transfer(address to, uint256 amount) returns (bool)",
  "function balanceOf(address account) view returns (uint256)",
]);

/** A plain ERC-20 (OpenZeppelin's), all of it `owner`'s, an account of a development chain. */
export async function deployToken(rpcUrl: string, owner: Address) {
  const rpc = connectRpc(rpcUrl);
  const send = async (to: Address | undefined, data: string) => {
    const hash = await rpc.send("eth_sendTransaction", [{ from: owner, to, data, gas: "0x2dc6c0" }]);
    return (await rpc.send("eth_getTransactionReceipt", [hash])) as { contractAddress: Address };
  };
  const { contractAddress: address } = await send(undefined, compile());
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

function compile(): Hex {
  const solc = require("solc");
  const input = {
    language: "Solidity",
    sources: { "Token.sol": { content: SOURCE } },
    settings: { outputSelection: { "*": { Token: ["evm.bytecode.object"] } } },
  };
  const find = (path: string) => ({ contents: readFileSync(require.resolve(path), "utf8") });
  const { contracts } = JSON.parse(solc.compile(JSON.stringify(input), { import: find }));
  return `0x${contracts["Token.sol"].Token.evm.bytecode.object}`;
}
