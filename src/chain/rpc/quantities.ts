import { z } from "zod";
import { IchainError } from "../../errors/error.ts";

/** A number as nodes write it: 0x-hex of at most 256 bits. */
export const parseQuantity = z
  .string()
  .regex(/^0x[0-9a-f]{1,64}$/i)
  .transform((text) => BigInt(text));

/**
 * `value` as `schema` parses it.
 * @throws CHAIN_UNAVAILABLE when the node's answer does not parse
 */
export function answered<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw unusableAnswer(what, parsed.error);
}

/** The error for an answer that is not the `what` that the node was asked for. */
export function unusableAnswer(what: string, cause: unknown): IchainError {
  return new IchainError(
    "CHAIN_UNAVAILABLE",
    `The chain's node was asked for ${what} and gave an unusable answer.`,
    {
      hint: "The node may still be syncing, or is no Ethereum node: check the RPC URL and try again.",
      cause,
    },
  );
}

export function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
