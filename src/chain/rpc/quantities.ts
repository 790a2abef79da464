import { z } from "zod";
import { IchainError } from "../../errors/error.ts";

/** A number as nodes write it: 0x-hex of at most 256 bits. */
export const parseQuantity = z
  .string()
  .regex(/^0x[0-9a-f]{1,64}$/i)
  .transform((text) => BigInt(text));

/** `value` as `schema` wants it; a node that answers otherwise counts as out of order. */
export function answered<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw nonsense(what, parsed.error);
}

/** The node was asked for `what`, and what it answered is none. */
export function nonsense(what: string, cause: unknown): IchainError {
  return new IchainError(`The chain's node was asked for ${what} and answered something else.`, {
    code: "CHAIN_UNAVAILABLE",
    class: "unavailable",
    hint: "The node may still be syncing, or is no Ethereum node: check the RPC URL and try again.",
    retryable: true,
    cause,
  });
}

export function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
