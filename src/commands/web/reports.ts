import { setTimeout as delay } from "node:timers/promises";
import type { Abortable } from "../../async/abort.ts";
import { createLive, type Live } from "../../control/live.ts";
import { daemonKinds, type LiveEvent } from "../../control/messages.ts";
import { reachDaemon } from "../../control/reach.ts";
import type { Reporter } from "../../ports/reporter.ts";

/** Between two tries to reach a daemon, milliseconds. */
const REACH_MS = 1_000;
/** Jobs of which reports are kept, and reports of each. */
const MAX_JOBS = 200;
const MAX_REPORTS = 60;

/** What roles report while they work, of this process and of the daemons of this home. */
export interface Reports {
  /** For commands that run in this process. */
  readonly reporter: Reporter;
  /** The last of each step, and the newest texts, of one job; the newest last. */
  of(job: string): readonly LiveEvent[];
  /** Follows the daemons until `signal` aborts. */
  follow(home: string, options: Abortable): Promise<void>;
}

export function createReports(onReport: (event: LiveEvent) => void): Reports {
  const live: Live = createLive();
  const jobs = new Map<string, LiveEvent[]>();

  function take(event: LiveEvent): void {
    if (event.job !== undefined) keep(event.job, event);
    onReport(event);
  }
  function keep(job: string, event: LiveEvent): void {
    const before = (jobs.get(job) ?? []).filter(({ id }) => id === undefined || id !== event.id);
    jobs.delete(job);
    jobs.set(job, [...before, event].slice(-MAX_REPORTS));
    const [oldest] = jobs.keys();
    if (jobs.size > MAX_JOBS && oldest !== undefined) jobs.delete(oldest);
  }
  live.follow(take);

  return {
    reporter: live.tap({ emit() {} }),
    of: (job) => jobs.get(job) ?? [],
    async follow(home, { signal }) {
      const each = daemonKinds.map(async (kind) => {
        for (;;) {
          try {
            using daemon = await reachDaemon(home, kind, { signal });
            if (daemon) for await (const event of daemon.follow()) take(event);
          } catch {
            // Of a daemon that cannot be followed, the chain still tells what it does.
          }
          await delay(REACH_MS, undefined, { signal });
        }
      });
      await Promise.all(each);
    },
  };
}
