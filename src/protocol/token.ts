import { z } from "zod";
import { type Address, isAddress, shortId } from "./ids.ts";

/** More decimals than any token in use has; amounts stay small enough to read. */
export const MAX_DECIMALS = 36;

/** What a price on the chain has room for, exclusive. */
export const MAX_AMOUNT = 2n ** 128n;

const NAME = /^[a-z][a-z0-9.-]{0,15}$/;

/** A name under which a network file lists a token; `coin` is none. */
export const tokenNameSchema = z
  .string()
  .refine(
    (text) => NAME.test(text) && text !== "coin",
    "must be at most 16 lower-case letters, digits, dots and dashes",
  );

/** A token by its name in the network file, or by its address. */
export const tokenRefSchema = z
  .string("must be a token's name in the network file, or its address in quotes")
  .refine(
    (text) => isAddress(text) || tokenNameSchema.safeParse(text).success,
    "must be a token's name in the network file, or its address",
  );

const SYMBOL_CHARS = 12;

/**
 * A token's symbol as it may be shown: a stranger chose it. What is not plain ASCII becomes `?`, so that no symbol
 * moves the cursor or looks like another by its letters; a token without one is named by its address.
 */
export function plainSymbol(text: string, address: Address): string {
  const plain = text.slice(0, SYMBOL_CHARS).replace(/[^A-Za-z0-9.$+-]/g, "?");
  return /[A-Za-z0-9]/.test(plain) ? plain : shortId(address);
}

/** The symbol with the beginning of the address: what a token is called that the network file does not list. */
export function strangeSymbol(symbol: string, address: Address): string {
  return symbol === shortId(address) ? symbol : `${symbol} (0x${shortId(address)})`;
}
