import { setTimeout as delay } from "node:timers/promises";
import type { Market } from "../../ports/market.ts";

/** The chain's clock may run ahead of the wall clock: it is looked at this often. */
const POLL_MS = 5_000;

/**
 * A signal that fires when the chain's clock reaches `deadline` (Unix seconds) or `signal` aborts;
 * dispose it when the work is done. The work may outlive its use of the clock by one poll at most.
 */
export function until(deadline: number, market: Pick<Market, "now">, signal: AbortSignal, marginSeconds = 0) {
  const done = new AbortController();
  const expired = new AbortController();
  const watch = async () => {
    for (;;) {
      const left = deadline - marginSeconds - (await market.now({ signal: done.signal }));
      if (left <= 0) return expired.abort();
      await delay(Math.min(left * 1000, POLL_MS), undefined, { signal: done.signal, ref: false });
    }
  };
  watch().catch(() => undefined);
  return {
    signal: AbortSignal.any([signal, expired.signal]),
    get expired(): boolean {
      return expired.signal.aborted;
    },
    [Symbol.dispose](): void {
      done.abort();
    },
  };
}
