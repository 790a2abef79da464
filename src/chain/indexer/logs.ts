import { z } from "zod";
import type { AbortOptions } from "../../async/abort.ts";
import type { Address, Hex } from "../../protocol/ids.ts";
import { hexNumber } from "../rpc/blocks.ts";
import { answered, parseQuantity } from "../rpc/quantities.ts";
import type { Rpc } from "../rpc/rpc.ts";

/** A log with its place in the chain. */
export interface PlacedLog {
  readonly address: Address;
  readonly block: number;
  readonly blockHash: Hex;
  /** Its number among the block's logs. */
  readonly position: number;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  /** Of its block, Unix seconds, where its contract's events have no deadlines in them. */
  readonly time?: number | undefined;
}

/** More in one answer is asked for again in smaller ranges; some 8 KiB of memory each while they are read. */
const MAX_LOGS = 4_000;

const hex32 = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/i)
  .transform((text) => text.toLowerCase() as Hex);

const logSchema = z.object({
  address: z.string().regex(/^0x[0-9a-f]{40}$/i),
  blockNumber: parseQuantity,
  blockHash: hex32,
  logIndex: parseQuantity,
  topics: z.array(hex32).max(4),
  data: z.string().regex(/^0x[0-9a-f]*$/i),
});

/** Blocks `from` to `to`, both included. */
export interface Range {
  readonly from: number;
  readonly to: number;
  /** The hash of block `to`. */
  readonly hash: Hex;
}

/** All logs of `addresses` in `range`, in the chain's order; undefined where several blocks have too many for one answer. */
export async function readLogs(
  rpc: Rpc,
  addresses: readonly Address[],
  { from, to, hash }: Range,
  options: AbortOptions,
): Promise<PlacedLog[] | undefined> {
  // One block is asked for by name: a node that lags behind its neighbours says so instead of "no logs".
  const range = from === to ? { blockHash: hash } : { fromBlock: hexNumber(from), toBlock: hexNumber(to) };
  const filter = { address: addresses, ...range };
  const raw = await rpc.send("eth_getLogs", [filter], options);
  if (Array.isArray(raw) && raw.length > MAX_LOGS && from !== to) return undefined;
  const answer = answered(z.array(logSchema), raw, "logs");
  const wanted = new Set(addresses.map((address) => address.toLowerCase()));
  return answer
    .map((log) => ({
      address: log.address.toLowerCase() as Address,
      block: Number(log.blockNumber),
      blockHash: log.blockHash,
      position: Number(log.logIndex),
      topics: log.topics,
      data: log.data as Hex,
    }))
    .filter(({ address, block }) => wanted.has(address) && block >= from && block <= to)
    .sort((a, b) => a.block - b.block || a.position - b.position);
}
