import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Figures } from "../control/control.ts";
import { type DaemonStatus, daemonStates } from "../control/messages.ts";
import { COIN } from "../protocol/amounts.ts";
import { programVersion } from "../version.ts";
import type { Tally } from "./tally.ts";

export interface Snapshot {
  readonly status: DaemonStatus;
  /** Undefined where the chain does not answer: what is of it is then left out. */
  readonly figures: Figures | undefined;
  readonly tally: Tally;
}

/** Renders snapshots of a daemon in Prometheus' text format, version 0.0.4, with the metrics of its process. */
export function createExposition(): { readonly contentType: string; render(of: Snapshot): Promise<string> } {
  const ofProcess = new Registry();
  collectDefaultMetrics({ register: ofProcess });
  return {
    contentType: ofProcess.contentType,
    async render({ status, figures, tally }) {
      // Of each snapshot its own: what it does not know is absent, where a gauge that is kept would show its last value.
      const registry = new Registry();
      writeStatus(registry, status);
      if (figures !== undefined) writeFigures(registry, figures);
      writeTally(registry, tally);
      const parts = await Promise.all([registry.metrics(), ofProcess.metrics()]);
      return parts.join("\n");
    },
  };
}

function gauge(registry: Registry, name: string, help: string, labels: readonly string[] = []): Gauge {
  return new Gauge({ name: `ichain_${name}`, help, labelNames: [...labels], registers: [registry] });
}

function counter(registry: Registry, name: string, help: string, labels: readonly string[] = []): Counter {
  return new Counter({
    ...{ name: `ichain_${name}_total`, help: `${help} since the daemon started` },
    ...{ labelNames: [...labels], registers: [registry] },
  });
}

function writeStatus(
  registry: Registry,
  { kind, state, account = "", unfinished, health, earnings }: DaemonStatus,
): void {
  const info = gauge(registry, "info", "1, of this daemon", ["version", "kind", "account"]);
  info.set({ version: programVersion(), kind, account }, 1);
  const states = gauge(registry, "state", "1 for the state that the daemon is in", ["state"]);
  for (const each of daemonStates) states.set({ state: each }, each === state ? 1 : 0);
  gauge(registry, "jobs_unfinished", "jobs begun and not ended").set(unfinished);
  const parts = gauge(registry, "health", "1 where what the daemon leans on is in order, else 0", ["of"]);
  for (const { name, ok } of health) parts.set({ of: name }, ok ? 1 : 0);
  const paid = gauge(registry, "paid", "what jobs that are over paid, in whole tokens", ["token", "symbol"]);
  for (const { token, amount } of earnings) {
    const { address, symbol, decimals } = token;
    paid.set({ token: address, symbol }, whole(BigInt(amount), decimals));
  }
}

function writeFigures(registry: Registry, { jobs, waiting, ...coin }: Figures): void {
  const held = gauge(registry, "jobs", "jobs of the account on the chain", ["role", "state"]);
  for (const { role, state, count } of jobs) held.set({ role, state }, count);
  const queue = gauge(registry, "jobs_waiting", "jobs that wait to be taken on", ["role"]);
  for (const { role, count } of waiting) queue.set({ role }, count);
  const amounts = [
    ["balance", "what the account holds", coin.balance],
    ["stake", "stake behind the offer", coin.stake],
    ["stake_locked", "stake that unfinished jobs lock", coin.lockedStake],
    ["slashed", "stake that was lost", coin.slashed],
    ["gas", "what gas cost, as far as the journal has records", coin.gas],
  ] as const;
  for (const [name, help, amount] of amounts) {
    gauge(registry, `${name}_coin`, `${help}, in whole coins`).set(whole(amount));
  }
}

function writeTally(registry: Registry, tally: Tally): void {
  const under = gauge(registry, "steps_open", "steps of jobs under way", ["step"]);
  const over = counter(registry, "steps", "steps of jobs that ended", ["step", "outcome"]);
  for (const { step, ended, failed, open } of tally.steps()) {
    under.set({ step }, open);
    over.inc({ step, outcome: "ended" }, ended);
    over.inc({ step, outcome: "failed" }, failed);
  }
  const bytes = "bytes of parcels that were fetched and verified";
  counter(registry, "fetched_bytes", bytes).inc(tally.fetchedBytes);
  counter(registry, "warnings", "warnings").inc(tally.warnings);
}

/** An amount of smallest units as a number of whole ones; what a chart shows needs no more digits. */
function whole(amount: bigint, decimals: number = COIN.decimals): number {
  return Number(amount) / 10 ** decimals;
}
