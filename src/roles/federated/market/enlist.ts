import type { Abortable } from "../../../async/abort.ts";
import type { FederatedCall } from "../../../ports/market/federated.ts";
import type { Market } from "../../../ports/market.ts";
import type { Keyring } from "../../../ports/parcels.ts";
import { memberOf } from "../../../protocol/federated/market/fold.ts";
import type { FederatedJob } from "../../../protocol/federated/market/job.ts";
import type { Address, Hex } from "../../../protocol/ids.ts";
import type { BundleLocator } from "../../../protocol/parcel/locator.ts";
import { partyOf } from "../../shared/party.ts";
import { MAX_INVITED, type OpenedInvitation, openInvitation, sealInvitation } from "./invitation.ts";

const NO_ADMISSION: Hex = `0x${"00".repeat(65)}`;

interface Parts {
  readonly market: Pick<Market, "account" | "offer" | "signAdmission">;
  readonly keyring: Pick<Keyring, "agree" | "check" | "publicKeys">;
}

/**
 * The calls by which the requester of `federated` invites these accounts, each provider with an admission of its own.
 * @throws OFFER_GONE, KEY_UNUSABLE, KEY_MALFORMED, KEY_NOT_BOUND
 */
export async function invitationsTo(
  { market, keyring }: Parts,
  federated: FederatedJob,
  accounts: readonly Address[],
  locator: BundleLocator,
  options: Abortable,
): Promise<(FederatedCall & { kind: "invite" })[]> {
  const invitees = await Promise.all(
    accounts.map(async (account) => {
      const { keys } = await partyOf({ market, keyring }, account, options);
      // A seat is drawn, not admitted: it is told of the job alone.
      const isSeat = memberOf(federated, account)?.seat === true;
      const admission = isSeat ? NO_ADMISSION : market.signAdmission(federated.id, account);
      return { account, onionKey: keys.onionKey, admission };
    }),
  );
  const groups = Array.from({ length: Math.ceil(invitees.length / MAX_INVITED) }, (_, i) =>
    invitees.slice(i * MAX_INVITED, (i + 1) * MAX_INVITED),
  );
  return Promise.all(
    groups.map(async (group) => ({
      kind: "invite" as const,
      federated,
      invitation: await sealInvitation(keyring, federated.id, group, locator),
    })),
  );
}

/**
 * What this account needs to enlist, as its last invitation has it; undefined when it was not invited.
 * @throws SEAL_NOT_FOR_US, LOCATOR_MALFORMED, KEY_UNUSABLE
 */
export async function enlistmentIn(
  { market, keyring }: Parts,
  federated: FederatedJob,
): Promise<OpenedInvitation | undefined> {
  for (const invitation of federated.invitations.toReversed()) {
    const opened = await openInvitation(keyring, federated.id, invitation, market.account);
    if (opened !== undefined) return opened;
  }
  return undefined;
}
