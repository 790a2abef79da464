import { type AbortOptions, linkSignals, raceSignal } from "../async/abort.ts";
import { IchainError } from "../errors/error.ts";
import type { RunningDaemon } from "./client.ts";
import { type CallOptions, type ClientHome, runCommandLine } from "./run.ts";

/** Starts a daemon in this process; resolves once it works. */
export async function startDaemon(
  home: ClientHome,
  name: "provide" | "validate" | "serve",
  words: readonly string[],
  { signal, onEvent }: CallOptions = {},
): Promise<RunningDaemon> {
  const ready = Promise.withResolvers<string>();
  const stop = new AbortController();
  const linked = linkSignals([signal, stop.signal]);
  const ended = runCommandLine(home, name, words, {
    ...{ signal: linked.signal, onEvent },
    onOutput: (output) => ("account" in output ? ready.resolve(output.account) : undefined),
  })
    .then(() => undefined)
    .catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    })
    .finally(() => linked[Symbol.dispose]());
  ended.then(() => ready.reject(gone(name)), ready.reject);
  return {
    account: await ready.promise,
    ended,
    async [Symbol.asyncDispose]() {
      stop.abort(new IchainError("INTERRUPTED", "The daemon was stopped."));
      await ended.catch(() => undefined);
    },
  };
}

/** Sees to it that somebody acts for the home's posted jobs: an `ichain serve`, or else a daemon of this client. */
export function untilServed(home: ClientHome): {
  /** Resolves once one takes jobs. */
  ready(options: AbortOptions): Promise<void>;
  /** Resolves when this client's own has ended. */
  ended(): Promise<void>;
} {
  let own: Promise<RunningDaemon> | undefined;
  async function start(): Promise<RunningDaemon> {
    const daemon = await startDaemon(home, "serve", []);
    daemon.ended
      .catch((error: unknown) => {
        if (home.signal.aborted) return;
        const text = `This client acts no more for posted jobs: ${error instanceof Error ? error.message : String(error)}`;
        home.onEvent?.({ kind: "warn", at: Math.floor(Date.now() / 1000), text });
      })
      .finally(() => {
        own = undefined;
      });
    return daemon;
  }
  return {
    async ready({ signal }) {
      const { isServed } = await import("../compose.ts");
      if (await isServed({ config: home.config, signal: signal ?? home.signal })) return;
      own ??= start().catch((error: unknown) => {
        own = undefined;
        throw error;
      });
      await raceSignal(own, signal);
    },
    async ended() {
      await (await own?.catch(() => undefined))?.ended.catch(() => undefined);
    },
  };
}

const gone = (name: string): IchainError =>
  new IchainError("DAEMON_NOT_RUNNING", `The daemon of "${name}" ended before it worked.`);
