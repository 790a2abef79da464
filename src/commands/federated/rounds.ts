import type { Refund } from "../../protocol/federated/pay/refund.ts";
import type { ReplayFinding } from "../../protocol/federated/replay.ts";
import { type Address, shortId } from "../../protocol/ids.ts";
import type { PlayedRound } from "../../roles/federated/simulation/simulate.ts";
import type { Ui } from "../../ui/ui.ts";

/** A round as `simulate` prints it. */
export interface RoundLine {
  readonly round: number;
  readonly accuracy: number;
  readonly loss: number;
  readonly rest: bigint;
  readonly refunded: boolean;
  /** Where a proven cheat ended the job. */
  readonly end?: Refund;
  /** Of a provider's part, so far, at `delta`; absent without noise. */
  readonly privacy?: { readonly epsilon: number; readonly delta: number };
  readonly providers: readonly ProviderLine[];
}

export interface ProviderLine {
  readonly account: Address;
  readonly bad?: string;
  readonly rows: number;
  readonly bytes: number;
  readonly accuracy: number;
  readonly gains?: { readonly own: number; readonly others: number };
  readonly taken: boolean;
  readonly weight: number;
  readonly audit?: ReplayFinding;
  readonly pay: bigint;
}

const MILLION = 1e6;

export function roundLine(played: PlayedRound): RoundLine {
  const { round, accuracy, loss, rest, refunded, end, privacy, outcomes } = played;
  return {
    round,
    accuracy,
    loss,
    rest,
    refunded,
    ...(end !== undefined && { end }),
    ...(privacy !== undefined && { privacy }),
    providers: outcomes.map(({ actor, sent, accuracy, gains, taken, weight, audit, pay }) => ({
      account: actor.account,
      ...(actor.bad !== undefined && { bad: actor.bad }),
      rows: actor.rows.length,
      bytes: sent?.length ?? 0,
      accuracy: accuracy / MILLION,
      ...(gains !== undefined && { gains: { own: gains.own / MILLION, others: gains.others / MILLION } }),
      taken,
      weight,
      ...(audit !== undefined && { audit }),
      pay,
    })),
  };
}

export function describeRound(ui: Ui, line: RoundLine): string {
  const { round, accuracy, loss, refunded, end, privacy, providers } = line;
  const head = `Round ${round}: accuracy ${accuracy.toFixed(4)}, loss ${loss.toFixed(4)}${refunded ? "; refunded" : ""}`;
  const told =
    privacy === undefined
      ? ""
      : `\nPrivacy of a provider's part: ε = ${privacy.epsilon} at δ = ${privacy.delta}`;
  const rows = providers.map((one) => [
    shortId(one.account),
    one.bad ?? "honest",
    String(one.rows),
    one.bytes === 0 ? "none" : String(one.bytes),
    one.bytes === 0 ? "" : one.accuracy.toFixed(3),
    one.gains === undefined ? "" : `${one.gains.own.toFixed(3)} / ${one.gains.others.toFixed(3)}`,
    one.taken ? "taken" : "left out",
    one.audit ?? "",
    coin(one.pay),
  ]);
  const columns = [
    "provider",
    "plays",
    "rows",
    "bytes",
    "accuracy",
    "gain own / others",
    "update",
    "replay",
    "pay",
  ];
  return `${head}${told}\n${ui.table(columns, rows)}\n${end === undefined ? "" : describeRefund(end)}`;
}

function describeRefund({ refund, banned, award }: Refund): string {
  const names = banned.map((account) => shortId(account)).join(", ");
  return `A proven cheat ends the job. ${coin(refund)} goes back; banned: ${names}; ${coin(award)} of the deposits to each of the others.\n`;
}

export interface End {
  readonly price: bigint;
  readonly accuracy: number;
  readonly rounds: number;
  readonly strategy: string;
  readonly earned: readonly { account: Address; bad?: string; pay: bigint; rounds: number }[];
  readonly plot?: string;
  readonly ledger?: string;
}

export function describeEnd(ui: Ui, end: End): string {
  const { price, accuracy, rounds, strategy, earned, plot, ledger } = end;
  const sum = earned.reduce((total, one) => total + one.pay, 0n);
  const rows = earned.map(({ account, bad, pay, rounds }) => [
    shortId(account),
    bad ?? "honest",
    String(rounds),
    coin(pay),
    sum === 0n ? "" : `${(Number((pay * 10_000n) / sum) / 100).toFixed(2)} %`,
  ]);
  const table = ui.table(["provider", "plays", "paid rounds", "earned", "of the pool"], rows);
  const drawn = plot === undefined ? "" : `\nThe curve is in ${plot}.`;
  const kept = ledger === undefined ? "" : `\nThe ledger is in ${ledger}: ichain verify, ichain trace.`;
  return `After ${rounds} rounds of ${strategy}: accuracy ${accuracy.toFixed(4)}, price ${coin(price)}\n${table}${drawn}${kept}`;
}

function coin(amount: bigint): string {
  return (Number(amount / 10n ** 12n) / MILLION).toFixed(6);
}
