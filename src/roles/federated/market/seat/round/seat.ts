import type { Hosting } from "../../../../../ports/transport.ts";
import type { FederatedJob } from "../../../../../protocol/federated/market/job.ts";
import type { RoundList, RoundProposal } from "../../../../../protocol/federated/market/seat-messages.ts";
import type { Address } from "../../../../../protocol/ids.ts";
import type { Slots } from "../../../../daemon/slots.ts";
import type { DiskBudget } from "../../../../task/kept/disk-budget.ts";
import type { Lead } from "../../provider/leads.ts";
import type { Board } from "../../requester/board.ts";
import type { Arrivals } from "../../requester/round/arrivals.ts";
import type { Answers } from "./answers.ts";
import type { Dealt } from "./take-list.ts";
import type { RoundState } from "./work-out.ts";

/** Another seat, and how it is reached; the seats' order is that of their addresses. */
export type Peer = Lead & { readonly account: Address };

/** What a seat holds for all rounds. */
export interface Seat {
  readonly account: Address;
  /** All seats that serve, ascending, this one among them. */
  readonly order: readonly Address[];
  readonly peers: readonly Peer[];
  readonly members: readonly Dealt[];
  readonly hosting: Hosting;
  readonly slots: Slots;
  readonly disk: DiskBudget | undefined;
  /** What this seat tells the others: its list of a round as part 2 · round - 1, its proposal as part 2 · round. */
  readonly told: Board<RoundList | RoundProposal>;
  /** What the others answer to it. */
  readonly answers: Answers;
}

/** An open round at a seat. */
export type SeatRound = RoundState & { readonly arrivals: Arrivals };

/** Until when updates count, Unix seconds: half of the window is for working the round out. */
export function sendByOf({ deadline, terms }: FederatedJob): number {
  return deadline - Math.floor(terms.roundWindow / 2);
}
