import { setTimeout as delay } from "node:timers/promises";
import type { DaemonView } from "../control/control.ts";
import type { Notification, OwnerNotifier } from "../ports/notifier.ts";
import type { Reporter } from "../ports/reporter.ts";

const EVERY_MS = 300_000;

/** What an owner is told of, and how it is called; that the chain is silent is seen in the log. */
const events: ReadonlyMap<string, Notification["event"]> = new Map([
  ["funds", "funds-low"],
  ["disk", "disk-full"],
]);

/**
 * Looks at the daemon's health every few minutes until disposed of; warns, and tells the owner, when funds or disk begin
 * to lack, once until they have recovered.
 */
export function watchHealth(
  { health }: Pick<DaemonView, "health">,
  { reporter, notifier, everyMs = EVERY_MS }: HealthWatch,
): AsyncDisposable {
  const stop = new AbortController();
  const { signal } = stop;
  const lacking = new Set<string>();
  const look = async () => {
    for (const { name, ok, found } of await health({ signal })) {
      const event = events.get(name);
      if (event === undefined) continue;
      if (ok) lacking.delete(name);
      if (ok || lacking.has(name)) continue;
      lacking.add(name);
      const text = `There is little ${name} left: ${found}`;
      reporter.emit({ kind: "warn", text });
      notifier.tell({ event, text });
    }
  };
  const watching = (async () => {
    while (!signal.aborted) {
      // What cannot be looked at now is looked at again.
      await look().catch(() => undefined);
      await delay(everyMs, undefined, { signal }).catch(() => undefined);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await watching;
    },
  };
}

export interface HealthWatch {
  readonly reporter: Reporter;
  readonly notifier: OwnerNotifier;
  readonly everyMs?: number;
}
