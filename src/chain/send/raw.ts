import { getAddress } from "ethers";
import { z } from "zod";
import type { AbortOptions } from "../../async/abort.ts";
import type { Address } from "../../protocol/ids.ts";
import { answered, parseQuantity } from "../rpc/quantities.ts";
import { type Rpc, RpcRefusal } from "../rpc/rpc.ts";
import type { Attempt } from "./outbox.ts";

/** An attempt that is in a block. */
export interface Mined {
  readonly attempt: Attempt;
  readonly block: number;
  readonly succeeded: boolean;
  readonly gasUsed: bigint;
  /** Wei. */
  readonly fee: bigint;
  /** Where the contract lies that it created, if it did. */
  readonly contract: Address | undefined;
}

const receiptSchema = z
  .object({
    blockNumber: parseQuantity,
    status: parseQuantity,
    gasUsed: parseQuantity,
    effectiveGasPrice: parseQuantity,
    contractAddress: z
      .string()
      .regex(/^0x[0-9a-f]{40}$/i)
      .nullish(),
  })
  .nullable();

/** The one of `attempts` that was mined. At most one can be: they share a nonce or replaced a lost one. */
export async function findReceipt(
  rpc: Rpc,
  attempts: readonly Attempt[],
  options: AbortOptions,
): Promise<Mined | undefined> {
  for (const attempt of attempts.toReversed()) {
    const answer = await rpc.send("eth_getTransactionReceipt", [attempt.hash], options);
    const receipt = answered(receiptSchema, answer ?? null, "a receipt");
    if (receipt === null) continue;
    return {
      attempt,
      block: Number(receipt.blockNumber),
      succeeded: receipt.status === 1n,
      gasUsed: receipt.gasUsed,
      fee: receipt.gasUsed * receipt.effectiveGasPrice,
      contract: receipt.contractAddress ? (getAddress(receipt.contractAddress) as Address) : undefined,
    };
  }
  return undefined;
}

/** True while the node has it, mined or waiting. */
export async function isKnown(rpc: Rpc, { hash }: Attempt, options: AbortOptions): Promise<boolean> {
  return (await rpc.send("eth_getTransactionByHash", [hash], options)) != null;
}

/** How a node answered to a transaction. */
export type SendAnswer = "accepted" | "nonce used" | "not now";

/** Messages of geth, anvil and Hardhat for the same cases. */
const ACCEPTED = /already known|already imported|known transaction|already exists|already in the (mem)?pool/i;
const NONCE_USED = /nonce too low|nonce is too low|nonce has already been used/i;
const NOT_NOW =
  /underpriced|nonce too high|fee cap|less than (the )?block base fee|max fee per gas|txpool is full/i;

/**
 * Sends it to every node that does not have it: a single node could withhold it.
 * @throws RpcRefusal when it can never be accepted, for example without enough coin
 */
export async function sendRaw(rpc: Rpc, attempt: Attempt, options: AbortOptions): Promise<SendAnswer> {
  if (rpc.nodes === undefined) return sendTo(rpc, attempt, options);
  const sent = await Promise.allSettled(rpc.nodes.map((node) => sendTo(node, attempt, options)));
  options.signal?.throwIfAborted();
  const answers = sent.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const errors = sent.flatMap((one): unknown[] => (one.status === "rejected" ? [one.reason] : []));
  const refusals = errors.filter((error) => error instanceof RpcRefusal);
  const answering = answers.length + refusals.length;
  if (answering === 0) throw errors[0];
  if (refusals.length >= (rpc.quorum?.(answering) ?? answering)) throw refusals[0];
  // One node is enough for "nonce used": the caller checks it against the chain.
  const order: readonly SendAnswer[] = ["nonce used", "accepted", "not now"];
  return order.find((answer) => answers.includes(answer)) ?? "not now";
}

async function sendTo(rpc: Rpc, attempt: Attempt, options: AbortOptions): Promise<SendAnswer> {
  if (await isKnown(rpc, attempt, options)) return "accepted";
  try {
    await rpc.send("eth_sendRawTransaction", [attempt.raw], options);
    return "accepted";
  } catch (error) {
    if (!(error instanceof RpcRefusal)) throw error;
    if (ACCEPTED.test(error.message)) return "accepted";
    if (NONCE_USED.test(error.message)) return "nonce used";
    if (NOT_NOW.test(error.message)) return "not now";
    // Hardhat reports the failure of a transaction that it nevertheless mined.
    if ((await findReceipt(rpc, [attempt], options)) !== undefined) return "accepted";
    throw error;
  }
}
