import type { Abortable } from "../../async/abort.ts";
import { retry } from "../../async/retry.ts";
import { IchainError, isIchainError } from "../../errors/error.ts";
import type { Hex } from "../../protocol/ids.ts";
import type { Endpoint } from "../../protocol/parcel/locator.ts";
import type { RoleContext } from "../context.ts";

/**
 * Asks until the host has let us in and published our capsule of `root`, and opens it; ends only with
 * `signal`. Who was appointed may come before the host has heard of it.
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
  return new IchainError("The host has not published our capsule yet.", {
    code: "CAPSULE_NOT_PUBLISHED",
    class: "unavailable",
    hint: "Wait: the host publishes it once it has seen the appointment.",
    retryable: true,
  });
}
