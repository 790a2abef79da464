import { z } from "zod";
import { parseQuantity } from "../quantities.ts";
import { revertData } from "../rpc.ts";
import type { NodeAnswer } from "./node.ts";

/** Which part of the answers to one method several nodes must agree on. */
export interface Rule {
  /** The parameter that names a block: "latest" there becomes the block that the nodes agree on. */
  readonly block?: number;
  /** Selects the part that is compared; an answer that does not parse counts as none. */
  readonly what: z.ZodType;
  /** Answers that honest nodes give differently: the lower of the two middle ones by this measure counts. */
  readonly measure?: (what: unknown) => bigint;
}

const text = z.string().max(64 * 2 ** 20);
const hex = text.regex(/^0x[0-9a-f]*$/i).transform((digits) => digits.toLowerCase());

export const blockRule: Rule = {
  block: 0,
  what: z
    .object({
      number: parseQuantity,
      hash: hex,
      parentHash: hex,
      timestamp: parseQuantity,
      baseFeePerGas: parseQuantity.nullish(),
    })
    .nullable(),
};

const log = z.object({
  address: hex,
  blockNumber: parseQuantity,
  blockHash: hex,
  logIndex: parseQuantity,
  topics: z.array(hex).max(4),
  data: hex,
});

const receipt = z
  .object({
    blockHash: hex,
    blockNumber: parseQuantity,
    status: parseQuantity,
    gasUsed: parseQuantity,
    effectiveGasPrice: parseQuantity,
    contractAddress: hex.nullish(),
  })
  .nullable();

const history = z.object({
  baseFeePerGas: z.array(parseQuantity).max(1_025),
  reward: z.array(z.array(parseQuantity).max(8)).max(1_025).nullish(),
});

const amount = (what: unknown): bigint => what as bigint;
const sum = (what: unknown): bigint => {
  const { baseFeePerGas, reward } = what as z.output<typeof history>;
  return [...baseFeePerGas, ...(reward ?? []).flat()].reduce((total, one) => total + one, 0n);
};

const rules: Readonly<Record<string, Rule>> = {
  eth_chainId: { what: parseQuantity },
  eth_getBlockByNumber: blockRule,
  eth_getLogs: {
    what: z
      .array(log)
      .transform((logs) =>
        logs.toSorted((a, b) => Number(a.blockNumber - b.blockNumber) || Number(a.logIndex - b.logIndex)),
      ),
  },
  eth_getTransactionReceipt: { what: receipt },
  // Nodes differ in the fields that they return; only whether the node has the transaction is compared.
  eth_getTransactionByHash: { what: z.unknown().transform((transaction) => transaction != null) },
  eth_call: { block: 1, what: hex },
  eth_getCode: { block: 1, what: hex },
  eth_getBalance: { block: 1, what: parseQuantity },
  eth_getTransactionCount: { block: 1, what: parseQuantity },
  eth_estimateGas: { what: parseQuantity },
  eth_maxPriorityFeePerGas: { what: parseQuantity, measure: amount },
  eth_feeHistory: { block: 1, what: history, measure: sum },
};

const pendingBlock: Rule = {
  what: z.object({ timestamp: parseQuantity }),
  measure: (what) => (what as { timestamp: bigint }).timestamp,
};
const pendingCount: Rule = { what: parseQuantity, measure: amount };

export function ruleFor(method: string, params: readonly unknown[]): Rule {
  if (method === "eth_getBlockByNumber" && params[0] === "pending") return pendingBlock;
  if (method === "eth_getTransactionCount" && params[1] === "pending") return pendingCount;
  return rules[method] ?? { what: z.unknown() };
}

const keys = new WeakMap<NodeAnswer, string | undefined>();

/** Equal for two answers that agree; undefined for an answer that does not count. */
export function keyOf(rule: Rule, answer: NodeAnswer): string | undefined {
  if (!keys.has(answer)) keys.set(answer, readKey(rule, answer));
  return keys.get(answer);
}

function readKey({ what }: Rule, answer: NodeAnswer): string | undefined {
  if (answer.kind === "none") return undefined;
  if (answer.kind === "refusal") return `no ${revertData(answer.refusal.data)?.toLowerCase() ?? ""}`;
  const parsed = what.safeParse(answer.value ?? null);
  return parsed.success ? `yes ${JSON.stringify(parsed.data, plain)}` : undefined;
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : (value ?? null);
}
