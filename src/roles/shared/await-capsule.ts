import type { Abortable } from "../../async/abort.ts";
import { retry } from "../../async/retry.ts";
import { IchainError, isIchainError } from "../../errors/error.ts";
import type { Hex } from "../../protocol/ids.ts";
import type { Endpoint } from "../../protocol/parcel/locator.ts";
import type { RoleContext } from "../context.ts";

/**
 * Polls until the host admits us and has published our capsule of `root`, and opens it; without a limit but `signal`.
 * A validator may learn of its appointment before the host does, so a refusal is retried as well. Resolves with the
 * 32-byte session key.
 */
export async function awaitCapsule(
  { transport, keyring }: Pick<RoleContext, "transport" | "keyring">,
  endpoint: Endpoint,
  root: Hex,
  { signal }: Abortable,
): Promise<Hex> {
  const { fingerprint } = keyring.publicKeys;
  const fetching = async () => {
    const capsule = await transport.fetchCapsule({ endpoint, root, fingerprint }, { signal });
    if (capsule === undefined) throw notPublished();
    return capsule;
  };
  const capsule = await retry(fetching, {
    signal,
    when: (error) => isIchainError(error) && (error.retryable || error.code === "TRANSFER_FORBIDDEN"),
    firstPauseMs: 200,
    longestPauseMs: 5_000,
    factor: 1.5,
  });
  return keyring.unwrap(capsule);
}

function notPublished(): IchainError {
  return new IchainError("CAPSULE_NOT_PUBLISHED", "The host has not published our capsule yet.");
}
