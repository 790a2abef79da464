import { setTimeout as delay } from "node:timers/promises";
import { isIchainError } from "../../errors/error.ts";
import type { Hex } from "../../protocol/ids.ts";
import type { Endpoint } from "../../protocol/parcel/locator.ts";
import type { RoleContext, Waits } from "../context.ts";

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Asks until the host has let us in and published our capsule of `root`, and opens it; ends only with
 * `signal`. Who was appointed may come before the host has heard of it.
 */
export async function awaitCapsule(
  { transport, keyring }: Pick<RoleContext, "transport" | "keyring">,
  endpoint: Endpoint,
  root: Hex,
  { signal }: Waits,
): Promise<Hex> {
  const { fingerprint } = keyring.publicKeys;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    const capsule = await transport
      .fetchCapsule({ endpoint, root, fingerprint }, { signal })
      .catch((error: unknown) => {
        const early = isIchainError(error) && (error.retryable || error.code === "TRANSFER_FORBIDDEN");
        if (early) return undefined;
        throw error;
      });
    if (capsule) return keyring.unwrap(capsule);
    await delay(pause, undefined, { signal });
  }
}
