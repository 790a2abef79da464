import type { JobJournal } from "../../../../ports/journal.ts";
import type { Feed } from "../../../../ports/transport.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import type { HostedParcel, RoundMessage } from "../../../../protocol/federated/market/messages.ts";
import { type Address, sameAddress } from "../../../../protocol/ids.ts";
import type { Channel } from "../channel.ts";
import type { Board } from "../requester/board.ts";
import { sendByOf } from "./round/seat.ts";
import type { ServedParcel, WorkedOut } from "./round/work-out.ts";
import type { SeatStanding } from "./standing.ts";

/** The requester may have been away for rounds: its feed has each of them, beside the newest of `feed`. */
export function ofAllRounds(journal: JobJournal, channel: Channel, feed: Feed): Feed {
  return {
    id: feed.id,
    read: async (from, options) => {
      const before = journal.outcome<WorkedOut>(`adopted-${from - 1}`);
      if (before === undefined) return await feed.read(from, options);
      return channel.seal({ round: from, ledger: [...before.closed.lines], last: lastOf(before) });
    },
  };
}

function hosted({ blob, key }: ServedParcel): HostedParcel {
  return { root: blob.root, key, bytes: blob.size };
}

/** What is told of a closed round beside its books. */
function lastOf({ closed, model }: WorkedOut): NonNullable<RoundMessage["last"]> {
  return {
    model: hosted(model),
    ...(closed.before && { before: closed.before }),
    bytes: closed.took.map(([one, { bytes }]): [Address, number] => [one, bytes]),
  };
}

/** Tells everyone of the open round, or after the last one what it came to. */
export function tellRound(
  board: Board<RoundMessage>,
  job: FederatedJob,
  {
    round,
    before,
    states,
    isProvider,
    requester,
  }: SeatStanding & { readonly isProvider: (one: Address) => boolean; readonly requester: Address },
): void {
  if (before === undefined) return;
  const { closed, memory } = before;
  const base = { round, ledger: [...closed.lines] };
  const last = lastOf(before);
  const work = { model: last.model, sendBy: sendByOf(job) };
  board.show(round, (account) => {
    if (isProvider(account)) return job.state === "Ended" ? base : { ...base, work };
    if (sameAddress(account, requester)) return { ...base, last };
    const remembered = Object.fromEntries(Object.entries(memory).map(([one, values]) => [one, [...values]]));
    return { ...base, last: { ...last, memory: remembered, ...(states && { states: hosted(states) }) } };
  });
}
