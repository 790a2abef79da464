import { z } from "zod";
import type { AbortOptions } from "../../async/abort.ts";
import type { Address, Hex } from "../../protocol/ids.ts";
import { answered, parseQuantity } from "./quantities.ts";
import type { Rpc } from "./rpc.ts";

export interface Block {
  readonly number: number;
  readonly hash: Hex;
  readonly parentHash: Hex;
  /** Unix seconds. */
  readonly time: number;
  readonly baseFee: bigint;
}

const hash = z.string().regex(/^0x[0-9a-f]{64}$/i);
const blockSchema = z.object({
  number: parseQuantity,
  hash,
  parentHash: hash,
  timestamp: parseQuantity,
  baseFeePerGas: parseQuantity.optional(),
});

export async function readHead(rpc: Rpc, options?: AbortOptions): Promise<Block> {
  return toBlock(
    answered(blockSchema, await rpc.send("eth_getBlockByNumber", ["latest", false], options), "a block"),
  );
}

/** Undefined when the node does not have the block. */
export async function findBlock(
  rpc: Rpc,
  number: number,
  options?: AbortOptions,
): Promise<Block | undefined> {
  const answer = await rpc.send("eth_getBlockByNumber", [hexNumber(number), false], options);
  const block = answered(blockSchema.nullable(), answer ?? null, "a block");
  return block === null ? undefined : toBlock(block);
}

function toBlock(block: z.infer<typeof blockSchema>): Block {
  return {
    number: Number(block.number),
    hash: block.hash as Hex,
    parentHash: block.parentHash as Hex,
    time: Number(block.timestamp),
    baseFee: block.baseFeePerGas ?? 0n,
  };
}

/** The nonce of `account` as of `block`: how many of its transactions are on the chain. */
export async function readNonce(
  rpc: Rpc,
  account: Address,
  block: number | "latest" | "pending",
  options?: AbortOptions,
): Promise<number> {
  const tag = typeof block === "number" ? hexNumber(block) : block;
  const count = answered(
    parseQuantity,
    await rpc.send("eth_getTransactionCount", [account, tag], options),
    "a nonce",
  );
  return Number(count);
}

export function hexNumber(value: number | bigint): Hex {
  return `0x${value.toString(16)}`;
}
