import type { Journal } from "../ports/journal.ts";
import type { Market } from "../ports/market.ts";
import type { Keyring, Parcels } from "../ports/parcels.ts";
import type { Reporter } from "../ports/reporter.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import type { Transport } from "../ports/transport.ts";
import type { Address } from "../protocol/ids.ts";

/** What every role works with; made by `compose.ts`. */
export interface RoleContext {
  readonly account: Address;
  readonly market: Market;
  readonly transport: Transport;
  readonly parcels: Parcels;
  readonly keyring: Keyring;
  readonly journal: Journal;
  readonly reporter: Reporter;
  /** Parent of the folders of jobs (`jobFolder`). */
  readonly jobsDir: string;
  /** Runs other parties' code. A requester has one when it measures results itself. */
  readonly sandbox?: Sandbox | undefined;
}

/** For roles that run other parties' code. */
export interface WorkerContext extends RoleContext {
  readonly sandbox: Sandbox;
}
