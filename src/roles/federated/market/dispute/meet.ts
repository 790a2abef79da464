import type { Abortable } from "../../../../async/abort.ts";
import type { HostIdentity } from "../../../../ports/transport.ts";
import type { Dispute, FederatedJob } from "../../../../protocol/federated/market/job.ts";
import type { Address } from "../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../context.ts";
import { partyOf } from "../../../shared/party.ts";
import { type Channel, channelWith } from "../channel.ts";

/** Where a witness and a validator of a panel meet: an address that follows from what their keys agree on. */
export interface Meeting {
  readonly identity: HostIdentity;
  readonly channel: Channel;
  /** The other's. */
  readonly onionKey: `0x${string}`;
}

/** The meeting of this account and `other` in a dispute; the same on both sides. */
export async function meetingOf(
  context: Pick<WorkerContext, "market" | "keyring" | "transport">,
  { id }: Pick<FederatedJob, "id">,
  { number }: Pick<Dispute, "number">,
  other: Address,
  options: Abortable,
): Promise<Meeting> {
  const { keys } = await partyOf(context, other, options);
  const channel = await channelWith(context.keyring, keys.onionKey, id);
  const identity = await context.transport.meetingPoint(channel.meeting(`dispute-${number}`));
  return { identity, channel, onionKey: keys.onionKey };
}
