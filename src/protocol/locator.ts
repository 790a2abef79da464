import type { Hex } from "./ids.ts";

/** Where a host answers and the token that it wants; only ever sent sealed. */
export interface Endpoint {
  readonly transport: "onion" | "direct";
  /** 56 base32 characters without `.onion`, or `host:port` for `direct`. */
  readonly address: string;
  /** 16 random bytes: the bearer token. */
  readonly token: Hex;
}
