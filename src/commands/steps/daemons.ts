import { linkSignals } from "../../async/abort.ts";
import { lockedKinds } from "../../compose.ts";
import {
  type Acknowledgement,
  type DaemonKind,
  daemonKinds,
  type LiveEvent,
} from "../../control/messages.ts";
import { type ReachedDaemon, reachDaemon } from "../../control/reach.ts";
import { IchainError } from "../../errors/error.ts";
import type { ProgressEvent } from "../../ports/reporter.ts";
import type { JobId } from "../../protocol/ids.ts";
import type { CommandContext } from "../framework/declaration.ts";

/** Calls `use` with a connection to each daemon that works in this home and answers. */
export async function withDaemons<T>(
  { config, signal }: Pick<CommandContext, "config" | "signal">,
  use: (daemons: readonly ReachedDaemon[]) => Promise<T>,
): Promise<T> {
  using stack = new DisposableStack();
  const daemons: ReachedDaemon[] = [];
  for (const kind of daemonKinds) {
    const reached = await reachDaemon(config.home, kind, { signal });
    if (reached) daemons.push(stack.use(reached));
  }
  return await use(daemons);
}

/**
 * Makes this request of every daemon of the home that `takes` it; with `wait`, until they have ended.
 * @throws DAEMON_NOT_RUNNING
 */
export async function tellDaemons(
  context: CommandContext,
  request: "drain" | "stop" | "reload",
  {
    wait = false,
    takes = () => true,
  }: { readonly wait?: boolean; readonly takes?: (kind: DaemonKind) => boolean } = {},
): Promise<(Omit<Acknowledgement, "state"> & { readonly state: Acknowledgement["state"] | "ended" })[]> {
  return withDaemons(context, async (daemons) => {
    const told = daemons.filter(({ kind }) => takes(kind));
    if (told.length === 0) throw await noDaemon(context, takes);
    return Promise.all(
      told.map(async (daemon) => {
        const { kind, state, unfinished } = await daemon.ask(request);
        if (!wait) return { kind, state, unfinished };
        await daemon.ended();
        return { kind, state: "ended" as const, unfinished };
      }),
    );
  });
}

/**
 * Shows what the daemons of this home report of the jobs that `wanted` names, as if this command did it, until disposed
 * of. What cannot be shown is no failure of the command.
 */
export function showReports(
  { config, signal, ui }: CommandContext,
  wanted: (job: JobId | undefined) => boolean,
): AsyncDisposable {
  const stop = new AbortController();
  const either = linkSignals([signal, stop.signal]);
  const showing = withDaemons({ config, signal: either.signal }, async (daemons) => {
    await Promise.all(
      daemons.map(async (daemon) => {
        for await (const event of daemon.follow()) {
          if (wanted(event.job)) ui.reporter.emit(progressOf(event));
        }
      }),
    );
  }).catch(() => undefined);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await showing;
      either[Symbol.dispose]();
    },
  };
}

function progressOf({ kind, text, job, id, done, total, lanes }: LiveEvent): ProgressEvent {
  if (kind === "info" || kind === "warn" || id === undefined) {
    return { kind: kind === "warn" || kind === "fail" ? "warn" : "info", text, job };
  }
  if (kind !== "progress" || done === undefined || total === undefined) return { kind, id, text, job };
  return { kind, id, text, done, total, ...(lanes && { lanes }), job };
}

async function noDaemon(context: CommandContext, takes: (kind: DaemonKind) => boolean): Promise<IchainError> {
  const { home } = context.config;
  const silent = (await lockedKinds(context)).filter(takes);
  if (silent.length === 0) {
    const who = takes("server") ? "daemon" : "provider or validator";
    return new IchainError("DAEMON_NOT_RUNNING", `No ${who} runs in ${home}.`, { details: { home } });
  }
  return new IchainError("DAEMON_NOT_RUNNING", `A process works in ${home} and has no control socket.`, {
    hint: "It is a daemon of an earlier version, or a command that has the home to itself: stop it with Ctrl-C or SIGTERM.",
    details: { home },
  });
}

/** What people call a daemon: by the command that starts it. */
export function daemonName(kind: DaemonKind): string {
  return { worker: "ichain provide or validate", server: "ichain serve", peer: "ichain gossip run" }[kind];
}

/** `one job`, `3 jobs`. */
export function jobsText(count: number): string {
  return count === 1 ? "one job" : `${count} jobs`;
}
