import { createHash, timingSafeEqual } from "node:crypto";
import type { Hex } from "../../../protocol/ids.ts";
import { authorization } from "../wire.ts";

/**
 * A check of the `Authorization` header in time that does not depend on its content: digests of one
 * length are compared, so neither a common prefix nor the length shows.
 */
export function tokenCheck(token: Hex): (header: string | undefined) => boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = digest(authorization(token));
  return (header) => timingSafeEqual(digest(header ?? ""), expected);
}
