import { randomBytes } from "node:crypto";
import { toHex } from "../../protocol/bytes.ts";
import type { Hex } from "../../protocol/ids.ts";

/** 32 random bytes: a mask, a session key, a seed or a salt. */
export function random32(): Hex {
  return toHex(randomBytes(32));
}
