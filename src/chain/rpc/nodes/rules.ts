import { z } from "zod";
import { quantity } from "../quantities.ts";
import type { Answer } from "./node.ts";

/** What of the answers to one method has to be the same on several nodes. */
export interface Rule {
  /** The parameter that names a block: "latest" there becomes the block that the nodes agree on. */
  readonly block?: number;
  /** Picks what counts out of an answer; an answer that it does not fit is none. */
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
      number: quantity,
      hash: hex,
      parentHash: hex,
      timestamp: quantity,
      baseFeePerGas: quantity.nullish(),
    })
    .nullable(),
};

const log = z.object({
  address: hex,
  blockNumber: quantity,
  blockHash: hex,
  logIndex: quantity,
  topics: z.array(hex).max(4),
  data: hex,
});

const receipt = z
  .object({
    blockHash: hex,
    blockNumber: quantity,
    status: quantity,
    gasUsed: quantity,
    effectiveGasPrice: quantity,
    contractAddress: hex.nullish(),
  })
  .nullable();

const history = z.object({
  baseFeePerGas: z.array(quantity).max(1_025),
  reward: z.array(z.array(quantity).max(8)).max(1_025).nullish(),
});

const amount = (what: unknown): bigint => what as bigint;
const sum = (what: unknown): bigint => {
  const { baseFeePerGas, reward } = what as z.output<typeof history>;
  return [...baseFeePerGas, ...(reward ?? []).flat()].reduce((total, one) => total + one, 0n);
};

const rules: Readonly<Record<string, Rule>> = {
  eth_chainId: { what: quantity },
  eth_getBlockByNumber: blockRule,
  eth_getLogs: {
    what: z
      .array(log)
      .transform((logs) =>
        logs.toSorted((a, b) => Number(a.blockNumber - b.blockNumber) || Number(a.logIndex - b.logIndex)),
      ),
  },
  eth_getTransactionReceipt: { what: receipt },
  // Each node orders and names its fields as it likes: whether it has the transaction is what is asked.
  eth_getTransactionByHash: { what: z.unknown().transform((transaction) => transaction != null) },
  eth_call: { block: 1, what: hex },
  eth_getCode: { block: 1, what: hex },
  eth_getBalance: { block: 1, what: quantity },
  eth_getTransactionCount: { block: 1, what: quantity },
  eth_estimateGas: { what: quantity },
  eth_maxPriorityFeePerGas: { what: quantity, measure: amount },
  eth_feeHistory: { block: 1, what: history, measure: sum },
};

const pendingBlock: Rule = {
  what: z.object({ timestamp: quantity }),
  measure: (what) => (what as { timestamp: bigint }).timestamp,
};
const pendingCount: Rule = { what: quantity, measure: amount };

export function ruleFor(method: string, params: readonly unknown[]): Rule {
  if (method === "eth_getBlockByNumber" && params[0] === "pending") return pendingBlock;
  if (method === "eth_getTransactionCount" && params[1] === "pending") return pendingCount;
  return rules[method] ?? { what: z.unknown() };
}

const keys = new WeakMap<Answer, string | undefined>();

/** Two answers with the same key say the same; undefined for one that says nothing. */
export function keyOf(rule: Rule, answer: Answer): string | undefined {
  if (!keys.has(answer)) keys.set(answer, readKey(rule, answer));
  return keys.get(answer);
}

function readKey({ what }: Rule, answer: Answer): string | undefined {
  if (answer.kind === "none") return undefined;
  if (answer.kind === "refusal") return `no ${revertData(answer.refusal.data) ?? ""}`;
  const parsed = what.safeParse(answer.value ?? null);
  return parsed.success ? `yes ${JSON.stringify(parsed.data, plain)}` : undefined;
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : (value ?? null);
}

/** What a contract said no with, wherever this client puts it. */
function revertData(data: unknown): string | undefined {
  if (typeof data === "string") return /^0x[0-9a-f]*$/i.test(data) ? data.toLowerCase() : undefined;
  return typeof data === "object" && data !== null && "data" in data ? revertData(data.data) : undefined;
}
