import type { Market } from "../../ports/market.ts";

/** The chain's clock may run ahead of the wall clock: it is looked at this often. */
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

/** One for each market: however many deadlines there are, the node is asked once. */
const clocks = new WeakMap<ChainTime, Clock>();

/**
 * A signal that fires when the chain's clock reaches `deadline` (Unix seconds) or `signal` aborts;
 * dispose it when the work is done. The work may outlive its use of the clock by one poll at most. Where the node
 * does not answer, this machine's clock goes on from its last answer.
 */
export function chainDeadline(deadline: number, market: ChainTime, signal: AbortSignal, marginSeconds = 0) {
  const expired = new AbortController();
  const clock = clocks.get(market) ?? startClock(market);
  const alarm = { at: deadline - marginSeconds, ring: () => expired.abort() };
  if (alarm.at < Number.POSITIVE_INFINITY) clock.add(alarm);
  return {
    signal: AbortSignal.any([signal, expired.signal]),
    get expired(): boolean {
      return expired.signal.aborted;
    },
    [Symbol.dispose](): void {
      clock.remove(alarm);
    },
  };
}

/** Asks only while there is something to wait for. */
function startClock(market: ChainTime): Clock {
  const alarms = new Set<Alarm>();
  let timer: NodeJS.Timeout | undefined;
  let looking = false;
  let known = { time: Date.now() / 1000, at: performance.now() };

  async function look(): Promise<void> {
    clearTimeout(timer);
    if (looking) return; // the answer that is on its way serves every alarm
    looking = true;
    const answer = await market.now({ signal: AbortSignal.timeout(POLL_MS) }).catch(() => undefined);
    looking = false;
    const time = answer ?? known.time + (performance.now() - known.at) / 1000;
    known = { time, at: performance.now() };
    for (const alarm of alarms) {
      if (alarm.at > time) continue;
      alarms.delete(alarm);
      alarm.ring();
    }
    if (alarms.size === 0) return;
    const next = Math.min(...[...alarms].map(({ at }) => at));
    timer = setTimeout(look, Math.min((next - time) * 1000, POLL_MS)).unref();
  }

  const clock: Clock = {
    add(alarm) {
      alarms.add(alarm);
      void look();
    },
    remove(alarm) {
      alarms.delete(alarm);
      if (alarms.size === 0) clearTimeout(timer);
    },
  };
  clocks.set(market, clock);
  return clock;
}
