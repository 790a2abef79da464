import type { Address, JobId } from "../../protocol/ids.ts";
import type { EventHub } from "../../web/events.ts";
import type { CommandContext } from "../framework/declaration.ts";
import type { MarketView } from "../steps/reader.ts";
import type { MarketBoard } from "./board.ts";
import type { Keys } from "./keys.ts";
import type { Reports } from "./reports.ts";

/** What every route of the page works with. */
export interface PageContext {
  /** Of `pageContext`. */
  readonly context: CommandContext;
  readonly market: MarketView["market"];
  readonly account: Address;
  readonly board: MarketBoard;
  readonly reports: Reports;
  readonly keys: Keys;
  readonly hub: EventHub;
  /** Of this home's own jobs, by their ids; they never change. */
  readonly names: Map<JobId, string>;
}
