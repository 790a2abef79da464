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
 * The hash of the mined transaction with an attempt's nonce and the same call: signed again for a higher fee by a process
 * whose database was lost. Undefined when another call used the nonce, or when the node has pruned the block.
 */
export async function findReplacement(
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
    const found = transactions.find(
      (one) => Number(one.nonce) === attempt.nonce && one.from.toLowerCase() === account.toLowerCase(),
    );
    const same =
      found?.to?.toLowerCase() === to.toLowerCase() && found.input === data && found.value === value;
    return same ? (found.hash as Hex) : undefined;
  } catch (error) {
    if (error instanceof RpcRefusal) return undefined;
    throw error;
  }
}

/** The block at or below `head` that used `nonce`: exponential search backwards, then bisection. */
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
