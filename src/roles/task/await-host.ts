import type { Abortable } from "../../async/abort.ts";
import { retryUnavailable } from "../../async/retry.ts";
import { isIchainError } from "../../errors/error.ts";
import type { JobJournal } from "../../ports/journal.ts";
import type { Hex } from "../../protocol/ids.ts";
import type { Endpoint } from "../../protocol/parcel/locator.ts";
import type { RoleContext } from "../context.ts";

/** Silence of a host, in milliseconds, after which a job gives up its fetch and with it its slot. */
export const QUIET_MS = 20_000;

/** What a job fetches, by the step of the journal that fetches it. */
export interface Fetched {
  readonly step: "bundle" | "delivered";
  readonly endpoint: Endpoint;
  readonly root: Hex;
}

/** True when an earlier try of this fetch was begun and came to no end. */
export function isHalfFetched(journal: JobJournal, step: Fetched["step"]): boolean {
  return journal.intent(step) !== undefined && journal.outcome(step) === undefined;
}

/**
 * Resolves once the host of a half-fetched parcel answers, at once for others. A job calls it before it takes a slot:
 * a host that fell silent must not keep other jobs waiting for it.
 * @throws TRANSFER_UNREACHABLE, TRANSFER_STALLED when it has not answered in `withinMs`
 */
export async function awaitHost(
  { transport, keyring }: Pick<RoleContext, "transport" | "keyring">,
  journal: JobJournal,
  { step, endpoint, root }: Fetched,
  options: Abortable & { withinMs: number },
): Promise<void> {
  if (!isHalfFetched(journal, step)) return;
  const { fingerprint } = keyring.publicKeys;
  // Any answer shows that it is there; what it serves is found out by the fetch.
  const asking = () =>
    transport.fetchCapsule({ endpoint, root, fingerprint }, options).catch((error: unknown) => {
      if (!isIchainError(error) || error.class === "unavailable") throw error;
    });
  await retryUnavailable(asking, options, options.withinMs);
}
