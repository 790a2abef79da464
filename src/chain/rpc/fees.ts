import { z } from "zod";
import type { AbortOptions } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import { hexNumber, readHead } from "./blocks.ts";
import { larger, parseQuantity } from "./quantities.ts";
import { type Rpc, RpcRefusal } from "./rpc.ts";

/** What a transaction offers for its gas (EIP-1559), wei. */
export interface Fees {
  readonly max: bigint;
  readonly priority: bigint;
}

/** Bounds on what is offered for a unit of gas, whatever the node suggests. */
export interface FeeCaps {
  /** Wei. */
  readonly max: bigint;
  /** Times what transactions paid in the median of recent blocks. */
  readonly timesMedian: number;
}

const GWEI = 10n ** 9n;

export const DEFAULT_FEE_CAPS: FeeCaps = { max: 1_000n * GWEI, timesMedian: 10 };

const HISTORY_BLOCKS = 20;
/** Lower bound of the median, which is near zero on an idle chain; wei. */
const LEAST_TYPICAL = 3n * GWEI;

/**
 * Fees that let the base fee double before the transaction has to wait, within `caps`; `cap` is their present bound.
 * @throws FEE_TOO_HIGH when the caps allow less than the node asks for
 */
export async function currentFees(
  rpc: Rpc,
  caps: FeeCaps,
  options?: AbortOptions,
): Promise<Fees & { readonly cap: bigint }> {
  const [{ baseFee }, priority, typical] = await Promise.all([
    readHead(rpc, options),
    suggestedPriority(rpc, options),
    typicalFee(rpc, options),
  ]);
  const cap = typical === undefined ? caps.max : smaller(caps.max, times(typical, caps.timesMedian));
  if (baseFee + priority > cap) throw feeTooHigh(baseFee + priority, cap);
  return { max: smaller(2n * baseFee + priority, cap), priority, cap };
}

/** The least fees with which nodes replace a transaction of fees `old` (12.5 % more), or the usual ones if higher. */
export function raisedFees(old: Fees, now: Fees): Fees {
  const raise = (fee: bigint) => (fee * 1125n) / 1000n + 1n;
  return { max: larger(raise(old.max), now.max), priority: larger(raise(old.priority), now.priority) };
}

async function suggestedPriority(rpc: Rpc, options?: AbortOptions): Promise<bigint> {
  try {
    return parseQuantity.catch(GWEI).parse(await rpc.send("eth_maxPriorityFeePerGas", [], options));
  } catch (error) {
    // Not every node knows the method.
    if (error instanceof RpcRefusal) return GWEI;
    throw error;
  }
}

const historySchema = z.object({
  baseFeePerGas: z.array(parseQuantity).max(HISTORY_BLOCKS + 1),
  reward: z.array(z.array(parseQuantity).max(1)).max(HISTORY_BLOCKS).nullish(),
});

/** Median price of a unit of gas in recent blocks; undefined when the node does not know the method. */
async function typicalFee(rpc: Rpc, options?: AbortOptions): Promise<bigint | undefined> {
  try {
    const params = [hexNumber(HISTORY_BLOCKS), "latest", [50]];
    const history = historySchema.safeParse(await rpc.send("eth_feeHistory", params, options));
    if (!history.success) return undefined;
    const { baseFeePerGas, reward } = history.data;
    // Empty blocks report a reward of 0, which is no price.
    const rewards = (reward ?? []).flat().filter((paid) => paid > 0n);
    return larger(median(baseFeePerGas) + median(rewards), LEAST_TYPICAL);
  } catch (error) {
    if (error instanceof RpcRefusal) return undefined;
    throw error;
  }
}

function median(values: readonly bigint[]): bigint {
  return values.toSorted((a, b) => (a < b ? -1 : 1))[Math.floor(values.length / 2)] ?? 0n;
}

function times(value: bigint, factor: number): bigint {
  return (value * BigInt(Math.round(factor * 1000))) / 1000n;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

export function feeTooHigh(asked: bigint, cap: bigint): IchainError {
  const gwei = (wei: bigint) => `${Number(wei) / 1e9} gwei`;
  return new IchainError(
    "FEE_TOO_HIGH",
    `A unit of gas would cost ${gwei(asked)} now, by the chain's node, and at most ${gwei(cap)} are allowed.`,
    { details: { asked: String(asked), cap: String(cap) } },
  );
}
