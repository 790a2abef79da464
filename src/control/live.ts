import type { ProgressEvent, Reporter } from "../ports/reporter.ts";
import type { JobId } from "../protocol/ids.ts";
import { type DaemonStatus, type LiveEvent, MAX_LANES, MAX_TEXT, MAX_WARNINGS } from "./messages.ts";

/** Least time between two progress events of a step, milliseconds. */
const PROGRESS_MS = 250;
/** Jobs, and steps, of which the last is remembered. */
const MAX_REMEMBERED = 1000;

/** What a daemon's roles report, for those who ask and those who follow. */
export interface Live {
  /** Passes each event on to `reporter`, keeps what `status` shows, and tells the followers. */
  tap(reporter: Reporter): Reporter;
  /** The newest warnings, the newest last. */
  warnings(): DaemonStatus["warnings"];
  /** The last that was reported of a job. */
  doing(job: JobId): string | undefined;
  /** Calls `listener` for every event from now on, until disposed of; progress at most four times a second a step. */
  follow(listener: (event: LiveEvent) => void): Disposable;
}

export function createLive(now: () => number = Date.now): Live {
  const listeners = new Set<(event: LiveEvent) => void>();
  const lastOf = new Map<JobId, string>();
  const shownAt = new Map<string, number>();
  const kept: DaemonStatus["warnings"] = [];

  function take(event: ProgressEvent): void {
    const at = now();
    const live = liveEvent(event, at);
    if (event.kind === "warn" || event.kind === "fail") {
      kept.push({ at: live.at, text: live.text, job: live.job });
      if (kept.length > MAX_WARNINGS) kept.shift();
    }
    if (event.job !== undefined) remember(lastOf, event.job, live.text);
    if (event.kind === "progress") {
      const step = `${event.job ?? ""} ${event.id}`;
      if (at - (shownAt.get(step) ?? -PROGRESS_MS) < PROGRESS_MS) return;
      remember(shownAt, step, at);
    }
    for (const listener of listeners) listener(live);
  }

  return {
    tap: (reporter) => ({
      emit(event) {
        reporter.emit(event);
        take(event);
      },
    }),
    warnings: () => [...kept],
    doing: (job) => lastOf.get(job),
    follow(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  };
}

function liveEvent(event: ProgressEvent, at: number): LiveEvent {
  const { kind, job } = event;
  const text = event.text.slice(0, MAX_TEXT);
  const step = "id" in event ? { id: event.id.slice(0, MAX_TEXT) } : {};
  const { done, total, lanes } = event.kind === "progress" ? event : {};
  const rates = lanes?.slice(0, MAX_LANES).map(Math.round);
  return { kind, at: Math.floor(at / 1000), text, job, ...step, done, total, lanes: rates };
}

/** Sets it as the newest, and forgets the oldest of too many. */
function remember<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MAX_REMEMBERED && oldest !== undefined) map.delete(oldest);
}
