import { linkSignals } from "../../async/abort.ts";
import type { Market } from "../../ports/market.ts";

/** How often the chain's time is read: it may run ahead of this machine's clock. */
const POLL_MS = 5_000;

type ChainTime = Pick<Market, "now">;

interface Alarm {
  /** Unix seconds. */
  readonly at: number;
  ring(): void;
}

interface Clock {
  add(alarm: Alarm): void;
  remove(alarm: Alarm): void;
}

/** One for each market, so that many deadlines need one request to the node. */
const clocks = new WeakMap<ChainTime, Clock>();

/**
 * A signal that aborts when the chain's time reaches `deadline` (Unix seconds) less `marginSeconds`, or with
 * `signal`. Dispose it when the work is done: the node is polled until then. While the node does not answer, this
 * machine's clock continues from its last answer.
 * @example using clock = chainDeadline(job.deadline, market, signal); await work({ signal: clock.signal });
 */
export function chainDeadline(deadline: number, market: ChainTime, signal: AbortSignal, marginSeconds = 0) {
  const expired = new AbortController();
  const linked = linkSignals([signal, expired.signal]);
  const clock = clocks.get(market) ?? startClock(market);
  const alarm = { at: deadline - marginSeconds, ring: () => expired.abort() };
  if (alarm.at < Number.POSITIVE_INFINITY) clock.add(alarm);
  return {
    signal: linked.signal,
    get expired(): boolean {
      return expired.signal.aborted;
    },
    [Symbol.dispose](): void {
      clock.remove(alarm);
      linked[Symbol.dispose]();
    },
  };
}

/** Polls only while an alarm is set. */
function startClock(market: ChainTime): Clock {
  const alarms = new Set<Alarm>();
  let timer: NodeJS.Timeout | undefined;
  let reading = false;
  let known = { time: Date.now() / 1000, at: performance.now() };

  async function read(): Promise<number | undefined> {
    using limit = linkSignals([], POLL_MS);
    return await market.now(limit).catch(() => undefined);
  }

  async function poll(): Promise<void> {
    clearTimeout(timer);
    if (reading) return; // the answer that is under way serves every alarm
    reading = true;
    const answer = await read();
    reading = false;
    const time = answer ?? known.time + (performance.now() - known.at) / 1000;
    known = { time, at: performance.now() };
    for (const alarm of alarms) {
      if (alarm.at > time) continue;
      alarms.delete(alarm);
      alarm.ring();
    }
    if (alarms.size === 0) return;
    const next = Math.min(...[...alarms].map(({ at }) => at));
    timer = setTimeout(poll, Math.min((next - time) * 1000, POLL_MS)).unref();
  }

  const clock: Clock = {
    add(alarm) {
      alarms.add(alarm);
      void poll();
    },
    remove(alarm) {
      alarms.delete(alarm);
      if (alarms.size === 0) clearTimeout(timer);
    },
  };
  clocks.set(market, clock);
  return clock;
}
