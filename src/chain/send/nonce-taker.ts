import { z } from "zod";
import type { AbortOptions } from "../../async/abort.ts";
import type { Address, Hex } from "../../protocol/ids.ts";
import { hexNumber, readNonce } from "../rpc/blocks.ts";
import { answered, parseQuantity } from "../rpc/quantities.ts";
import { type Rpc, RpcRefusal } from "../rpc/rpc.ts";
import type { Attempt } from "./outbox.ts";
import { requestOf } from "./sender.ts";

const hex = z.string().regex(/^0x[0-9a-f]*$/i);
const blockSchema = z.object({
  transactions: z
    .array(
      z.object({
        hash: z.string().regex(/^0x[0-9a-f]{64}$/i),
        from: hex,
        to: hex.nullish(),
        nonce: parseQuantity,
        input: hex,
        value: parseQuantity,
      }),
    )
    .max(100_000),
});

/**
 * The hash of the transaction that took an attempt's nonce and asks the same of the chain: the same call,
 * signed again for a higher fee by a process whose database was lost since. Undefined when another call
 * took it, or when the node does not remember so far back.
 */
export async function findTaker(
  rpc: Rpc,
  account: Address,
  attempt: Attempt,
  head: number,
  options: AbortOptions,
): Promise<Hex | undefined> {
  try {
    const block = await blockOf(rpc, account, attempt.nonce, head, options);
    const answer = await rpc.send("eth_getBlockByNumber", [hexNumber(block), true], options);
    const { transactions } = answered(blockSchema, answer, "a block");
    const { to, data, value } = requestOf(attempt);
    const taker = transactions.find(
      (one) => Number(one.nonce) === attempt.nonce && one.from.toLowerCase() === account.toLowerCase(),
    );
    const same =
      taker?.to?.toLowerCase() === to.toLowerCase() && taker.input === data && taker.value === value;
    return same ? (taker.hash as Hex) : undefined;
  } catch (error) {
    if (error instanceof RpcRefusal) return undefined;
    throw error;
  }
}

/** The block in which `nonce` was used, at or below `head`: back in growing strides, then by halves. */
async function blockOf(rpc: Rpc, account: Address, nonce: number, head: number, options: AbortOptions) {
  const used = async (block: number) => (await readNonce(rpc, account, block, options)) > nonce;
  let [below, at] = [head, head];
  for (let stride = 1; below > 0; stride *= 2) {
    below = Math.max(0, head - stride);
    if (!(await used(below))) break;
    at = below;
  }
  while (at - below > 1) {
    const middle = Math.floor((at + below) / 2);
    if (await used(middle)) at = middle;
    else below = middle;
  }
  return at;
}
