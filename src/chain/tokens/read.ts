import { AbiCoder, Interface } from "ethers";
import type { AbortOptions } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import { COIN, type TokenInfo } from "../../protocol/amounts.ts";
import type { Address, Hex } from "../../protocol/ids.ts";
import { MAX_DECIMALS, plainSymbol } from "../../protocol/token.ts";
import { hexNumber } from "../rpc/blocks.ts";
import { type Rpc, RpcRefusal } from "../rpc/rpc.ts";

/** What ichain reads of an ERC-20, and of its permits (EIP-2612). */
const erc20 = new Interface([
  "function symbol() view returns (string)",
  "function name() view returns (string)",
  "function version() view returns (string)",
  "function decimals() view returns (uint256)",
  "function balanceOf(address) view returns (uint256)",
  "function allowance(address, address) view returns (uint256)",
  "function nonces(address) view returns (uint256)",
  "function DOMAIN_SEPARATOR() view returns (bytes32)",
]);

/** Of one answer: a stranger's contract wrote it. */
const MAX_ANSWER_CHARS = 2 + 2 * 512;
/** Gas of one read: a token that needs more is not read. */
const READ_GAS = 1_000_000n;

/** The encoded answer of a token; undefined when it has no such function, reverts, or answers too much. */
async function ask(
  rpc: Rpc,
  token: Address,
  name: string,
  args: readonly unknown[],
  options: AbortOptions,
): Promise<Hex | undefined> {
  const call = { to: token, data: erc20.encodeFunctionData(name, args), gas: hexNumber(Number(READ_GAS)) };
  try {
    const answer = await rpc.send("eth_call", [call, "latest"], options);
    const usable = typeof answer === "string" && answer.length <= MAX_ANSWER_CHARS;
    return usable && /^0x([0-9a-f]{64})+$/i.test(answer) ? (answer as Hex) : undefined;
  } catch (error) {
    if (error instanceof RpcRefusal) return undefined;
    throw error;
  }
}

/** A number or 32 bytes that a token answers with; undefined when it does not. */
export async function askWord(
  rpc: Rpc,
  token: Address,
  name: "decimals" | "balanceOf" | "allowance" | "nonces" | "DOMAIN_SEPARATOR",
  args: readonly Address[],
  options: AbortOptions,
): Promise<bigint | undefined> {
  const answer = await ask(rpc, token, name, args, options);
  return answer === undefined ? undefined : BigInt(answer.slice(0, 66));
}

/** A text that a token answers with, or 32 bytes that hold one, as old tokens do; undefined when it does not. */
export async function askText(
  rpc: Rpc,
  token: Address,
  name: "symbol" | "name" | "version",
  options: AbortOptions,
): Promise<string | undefined> {
  const answer = await ask(rpc, token, name, [], options);
  if (answer === undefined) return undefined;
  if (answer.length === 66) return Buffer.from(answer.slice(2), "hex").toString("utf8").replace(/\0+$/, "");
  try {
    return AbiCoder.defaultAbiCoder().decode(["string"], answer)[0] as string;
  } catch {
    return undefined;
  }
}

/**
 * The token at `address`; its symbol is safe to print, and its decimals are bounded.
 * @throws TOKEN_UNUSABLE when there is no contract, or none that names its decimals
 */
export async function readToken(rpc: Rpc, address: Address, options: AbortOptions): Promise<TokenInfo> {
  if (address === COIN.address) return COIN;
  const [decimals, symbol, code] = await Promise.all([
    askWord(rpc, address, "decimals", [], options),
    askText(rpc, address, "symbol", options),
    rpc.send("eth_getCode", [address, "latest"], options),
  ]);
  if (code === "0x") throw unusable(address, "There is no contract");
  if (decimals === undefined || decimals > MAX_DECIMALS) throw unusable(address, "There is no usable token");
  return { address, symbol: plainSymbol(symbol ?? "", address), decimals: Number(decimals) };
}

function unusable(address: Address, what: string): IchainError {
  return new IchainError("TOKEN_UNUSABLE", `${what} at ${address} on this chain.`, {
    details: { token: address },
  });
}
