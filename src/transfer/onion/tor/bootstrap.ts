import { type Abortable, type AbortOptions, linkSignals } from "../../../async/abort.ts";
import type { TorControl } from "../control/control.ts";
import { keyValues } from "../control/events.ts";
import { torGone, torNoNetwork } from "../errors.ts";

/** Milliseconds without progress after which bootstrapping has failed. */
const STUCK_MS = 60_000;

/** Bootstrap phases (control-spec, section 5.5): per cent. */
export const ENOUGH_DIRECTORY = 75;
const CIRCUIT_BUILT = 100;

/**
 * Resolves once a tor that has just started has built its first circuit. Tor does what is due once a second: asked for
 * it, it fetches a consensus at once, which saves a second.
 * @throws as `bootstrapped`
 */
export async function reachNetwork(control: TorControl, options: Abortable): Promise<void> {
  await control.command("SIGNAL RELOAD", options);
  await bootstrapped(control, options);
}

/**
 * Resolves once tor has bootstrapped to `progress` per cent: its first circuit unless given.
 * @throws TOR_NO_NETWORK after a minute without progress; TOR_GONE, TOR_REFUSED; the signal's reason
 */
export async function bootstrapped(
  control: TorControl,
  options: AbortOptions & { progress?: number } = {},
): Promise<void> {
  const { progress = CIRCUIT_BUILT } = options;
  const stuck = new AbortController();
  let summary = "no progress reported";
  let timer = setTimeout(() => stuck.abort(), STUCK_MS);
  using either = linkSignals([options.signal, stuck.signal]);
  const { signal } = either;
  try {
    const events = control.events("STATUS_CLIENT", { signal });
    let values = keyValues(await control.info("status/bootstrap-phase", { signal }));
    while (!(Number(values.PROGRESS) >= progress)) {
      const next = await events.next();
      if (next.done) throw torGone("it ended before it reached the network");
      const [event] = next.value;
      if (event.action !== "BOOTSTRAP") continue;
      values = event.values;
      summary = values.SUMMARY ?? summary;
      clearTimeout(timer);
      timer = setTimeout(() => stuck.abort(), STUCK_MS);
    }
    await events.return?.();
  } catch (error) {
    options.signal?.throwIfAborted();
    throw stuck.signal.aborted ? torNoNetwork(summary, error) : error;
  } finally {
    clearTimeout(timer);
  }
}
