import { join } from "node:path";
import { amountText, COIN } from "../../../protocol/amounts.ts";
import type { FederatedState } from "../../../protocol/federated/market/events.ts";
import type { Shares } from "../../../protocol/federated/pay/shares.ts";
import type { CountedModels, Uncounted } from "../../../protocol/gossip/settle/counted.ts";
import type { Address } from "../../../protocol/ids.ts";
import { instant } from "../../../ui/format.ts";
import type { Ui } from "../../../ui/ui.ts";

/** Name of the folder of models, of the evidence and of the exam. */
export const MODELS = "models";
/** Name of what a task that measures leaves. */
export const MEASURED = "measured.json";

/** A pool on the chain after what was done for it now. */
export interface PoolStanding {
  readonly state: FederatedState;
  /** Last second of its present step, Unix time. */
  readonly deadline: number;
  /** All accounts were credited with their shares. */
  readonly paid: boolean;
}

/** What a settlement comes to, as `gossip settle` prints it. */
interface Settled {
  readonly exam: string;
  /** To be measured. */
  readonly models: number;
  readonly spans: number;
  readonly measured: boolean;
  readonly peers: readonly {
    readonly account: Address;
    readonly counted: number;
    readonly uncounted: Readonly<Record<Uncounted, number>>;
    readonly worth?: number;
    readonly share?: bigint;
  }[];
  readonly rest?: bigint;
  readonly escrow?: PoolStanding;
}

export function settledPeers(
  { counted, uncounted }: CountedModels,
  worth: ReadonlyMap<Address, number> | undefined,
  shared: Shares | undefined,
): Settled["peers"] {
  return [...uncounted].map(([account, why], at) => {
    const number = (one: Uncounted) => why.filter((each) => each === one).length;
    const [unconfirmed, repeated, missing] = [number("unconfirmed"), number("repeated"), number("missing")];
    return {
      account,
      counted: counted.filter(({ generator }) => generator === account).length,
      uncounted: { unconfirmed, repeated, missing },
      ...(worth && { worth: worth.get(account)! }),
      ...(shared && { share: shared.shares[at]! }),
    };
  });
}

export function describeSettled(ui: Ui, settled: Settled): string {
  const rows = settled.peers.map(({ account, counted, uncounted, worth, share }) => [
    account,
    String(counted),
    `${uncounted.unconfirmed} unconfirmed, ${uncounted.repeated} seen before, ${uncounted.missing} missing`,
    worth === undefined ? "" : (worth / 1e6).toFixed(4),
    share === undefined ? "" : amountText(share, COIN.decimals),
  ]);
  const table = ui.table(["peer", "models", "of no account", "worth", "share"], rows);
  return `${table}\n${nextOf(settled)}`;
}

function nextOf({ exam, models, spans, measured, rest, escrow }: Settled): string {
  if (escrow?.state === "Enlisting") {
    return `Its peers can enlist until ${instant(escrow.deadline)}: call this again then.`;
  }
  if (!measured) {
    return (
      `${models} models of ${spans} spans are in ${join(exam, MODELS)}: have them measured, put what comes out into ` +
      `${join(exam, MEASURED)}, and call this again.`
    );
  }
  if (escrow?.paid) return 'All are credited and their deposits free: "ichain wallet withdraw" pays it out.';
  if (escrow !== undefined) {
    return `The pool is closed; call this again after ${instant(escrow.deadline)}, when it can be paid.`;
  }
  if (rest === undefined) return "Give --pool to share one.";
  return `${amountText(rest, COIN.decimals)} of the pool is left to who settles.`;
}
