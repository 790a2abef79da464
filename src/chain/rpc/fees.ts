import type { Waits } from "../../ports/market.ts";
import { readHead } from "./blocks.ts";
import { quantity } from "./quantities.ts";
import { type Rpc, RpcRefusal } from "./rpc.ts";

/** What a transaction offers for its gas (EIP-1559), wei. */
export interface Fees {
  readonly max: bigint;
  readonly priority: bigint;
}

const GWEI = 10n ** 9n;

/** Room for the base fee to double before the transaction has to wait. */
export async function currentFees(rpc: Rpc, options?: Waits): Promise<Fees> {
  const [{ baseFee }, priority] = await Promise.all([
    readHead(rpc, options),
    suggestedPriority(rpc, options),
  ]);
  return { max: 2n * baseFee + priority, priority };
}

/** The least fees with which nodes let a transaction take the place of one with `old`, or more if now usual. */
export function raisedFees(old: Fees, now: Fees): Fees {
  const raise = (fee: bigint) => (fee * 1125n) / 1000n + 1n;
  return { max: larger(raise(old.max), now.max), priority: larger(raise(old.priority), now.priority) };
}

async function suggestedPriority(rpc: Rpc, options?: Waits): Promise<bigint> {
  try {
    return quantity.catch(GWEI).parse(await rpc.send("eth_maxPriorityFeePerGas", [], options));
  } catch (error) {
    // Not every node knows the method.
    if (error instanceof RpcRefusal) return GWEI;
    throw error;
  }
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
