import { type Abortable, linkSignals, onAbort } from "../async/abort.ts";
import { IchainError } from "../errors/error.ts";
import type { JobRole } from "../ports/journal.ts";
import type { Reporter } from "../ports/reporter.ts";
import type { Address, JobId } from "../protocol/ids.ts";
import type { JobState } from "../protocol/job/state.ts";
import { type ControlHandlers, listenForControl } from "./listen.ts";
import { createLive, type Live } from "./live.ts";
import { type Acknowledgement, type DaemonKind, type DaemonStatus, MAX_JOBS } from "./messages.ts";

/** What a daemon shows of itself once it works. */
export interface DaemonView {
  readonly account: Address;
  readonly roles: readonly JobRole[];
  /** The jobs that it has begun and not ended, the oldest first. */
  unfinished(): readonly { readonly role: JobRole; readonly jobId: JobId; readonly since: number }[];
  health(options: Abortable): Promise<DaemonStatus["health"]>;
  earnings(options: Abortable): Promise<DaemonStatus["earnings"]>;
  /** Absent for a daemon without jobs. */
  figures?(options: Abortable): Promise<Figures>;
  /**
   * Reads the policy again and works by it; the old one stays where that fails.
   * @throws what is wrong with the new one
   */
  reload(options: Abortable): Promise<void>;
}

/** What is counted of a daemon beside its status; amounts in the coin's smallest unit. */
export interface Figures {
  /** Jobs of the account on the chain. */
  readonly jobs: readonly { readonly role: JobRole; readonly state: JobState; readonly count: number }[];
  /** Jobs begun and not taken on yet: they wait for a place, a host or a decision. */
  readonly waiting: readonly { readonly role: JobRole; readonly count: number }[];
  readonly balance: bigint;
  readonly stake: bigint;
  readonly lockedStake: bigint;
  readonly slashed: bigint;
  /** Wei, as far as the journal has records. */
  readonly gas: bigint;
}

/** How a daemon is told what its owner wants. */
export interface Control extends AsyncDisposable {
  /** Aborts when the daemon is to end: with the caller's signal, or by `stop`. */
  readonly signal: AbortSignal;
  /** Aborts when it is to begin no more jobs, and to end with those it has. */
  readonly draining: AbortSignal;
  /** Passes on what the roles report. */
  readonly reporter: Reporter;
  show(view: DaemonView): void;
  /** What `ichain status` is told. */
  status(): Promise<DaemonStatus>;
  /** Undefined until it works, and where the chain does not answer in time. */
  figures(): Promise<Figures | undefined>;
  /** True when `stop` or the end of a drain, not the caller's signal, ends the daemon. */
  readonly isEndedByOwner: boolean;
}

/** Health checks that wait for others have this long, milliseconds. */
const HEALTH_MS = 3_000;

/**
 * Opens the control socket of a daemon, whose lock on the home the caller holds. A daemon whose socket cannot be opened
 * works without, with a warning.
 */
export async function openControl(
  { home, kind }: { readonly home: string; readonly kind: DaemonKind },
  { reporter, signal: callers }: Abortable & { readonly reporter: Reporter },
): Promise<Control> {
  await using stack = new AsyncDisposableStack();
  const live = createLive();
  const [stop, drain] = [new AbortController(), new AbortController()];
  stack.use(onAbort(callers, (reason) => stop.abort(reason)));
  const tapped = live.tap(reporter);
  let view: DaemonView | undefined;
  const handlers = controlHandlers({ kind, live, stop, drain, view: () => view });
  await listenForControl({ home, kind }, handlers, live).then(
    (opened) => stack.use(opened),
    (error: Error) =>
      tapped.emit({ kind: "warn", text: `${error.message} "ichain status" will not see this daemon.` }),
  );
  const opened = stack.move();
  return {
    signal: stop.signal,
    draining: drain.signal,
    reporter: tapped,
    show(shown) {
      view = shown;
    },
    status: handlers.status,
    async figures() {
      using limit = linkSignals([stop.signal], HEALTH_MS);
      return await view?.figures?.(limit).catch(() => undefined);
    },
    get isEndedByOwner() {
      return stop.signal.aborted && !callers.aborted;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function controlHandlers({
  kind,
  live,
  stop,
  drain,
  view,
}: {
  readonly kind: DaemonKind;
  readonly live: Live;
  readonly stop: AbortController;
  readonly drain: AbortController;
  view(): DaemonView | undefined;
}): ControlHandlers {
  const since = Math.floor(Date.now() / 1000);
  let reloading: Promise<unknown> = Promise.resolve();
  const state = (): DaemonStatus["state"] => {
    if (stop.signal.aborted) return "stopping";
    if (drain.signal.aborted) return "draining";
    return view() === undefined ? "starting" : "working";
  };
  const examine = async (shown: DaemonView) => {
    using limit = linkSignals([stop.signal], HEALTH_MS);
    // What the chain does not tell in time is left out; `health` says so.
    const [health, earnings] = await Promise.all([
      shown.health(limit),
      shown.earnings(limit).catch(() => []),
    ]);
    return { health, earnings };
  };
  const acknowledge = (): Acknowledgement => ({
    ...{ kind, state: state(), unfinished: view()?.unfinished().length ?? 0 },
  });
  return {
    async status() {
      const shown = view();
      const jobs = shown?.unfinished() ?? [];
      return {
        ...acknowledge(),
        ...{ pid: process.pid, since, roles: [...(shown?.roles ?? [])], account: shown?.account },
        jobs: jobs.slice(0, MAX_JOBS).map((job) => ({ ...job, doing: live.doing(job.jobId) })),
        ...(shown === undefined ? { health: [], earnings: [] } : await examine(shown)),
        warnings: live.warnings(),
      };
    },
    drain() {
      drain.abort();
      return acknowledge();
    },
    stop() {
      const { unfinished } = acknowledge();
      setImmediate(() => stop.abort(new IchainError("INTERRUPTED", "Stopped by its owner.")));
      return { kind, state: "stopping", unfinished };
    },
    async reload() {
      const shown = view();
      if (shown === undefined || stop.signal.aborted) {
        throw new IchainError("CONTROL_REFUSED", "The daemon does not work yet, or no more.", {
          retryable: true,
          hint: "Try again when `ichain status` says that it works.",
        });
      }
      const turn = reloading.then(() => shown.reload({ signal: stop.signal }));
      reloading = turn.catch(() => undefined);
      await turn;
      return acknowledge();
    },
  };
}
