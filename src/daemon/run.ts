import type { DaemonContext } from "../compose.ts";
import type { Config } from "../config.ts";
import type { AppContext } from "../context.ts";
import type { DaemonView } from "../control/control.ts";
import type { DaemonKind } from "../control/messages.ts";
import type { JobRole, Role } from "../ports/journal.ts";
import type { JobId } from "../protocol/ids.ts";
import type { RoleContext } from "../roles/context.ts";
import type { DiskBudget } from "../roles/task/kept/disk-budget.ts";
import { figureReader, sumEarnings } from "./figures.ts";
import { examineHealth } from "./health.ts";

/** Chain id of Hardhat's and Foundry's chains. */
const DEVELOPMENT_CHAIN = 31337;

/**
 * Runs a daemon until `run` resolves, its owner ends it (`ichain stop`, or a drain that is over), or the signal aborts.
 * @throws HOME_BUSY, LOG_UNWRITABLE, and what `run` throws when its owner did not end it
 */
export async function asDaemon(
  context: AppContext,
  kind: DaemonKind,
  run: (daemon: DaemonContext) => Promise<void>,
): Promise<void> {
  const { openDaemon } = await import("../compose.ts");
  await using daemon = await openDaemon(context, kind);
  const { logger, control } = daemon;
  await using _metrics = await openMetrics(daemon, kind);
  try {
    await run(daemon);
    logger.info("The daemon has ended its jobs and stops");
  } catch (error) {
    if (!daemon.signal.aborted) {
      logger.error("The daemon ended", { error });
      throw error;
    }
    logger.info("The daemon was stopped");
    if (!control.isEndedByOwner) throw error;
  }
}

/** Metrics and health over HTTP, where config.yaml asks for them; a daemon whose port is taken works without. */
async function openMetrics(
  { config, ui, control, tally }: DaemonContext,
  kind: DaemonKind,
): Promise<AsyncDisposable | undefined> {
  const { port: workerPort, servePort } = config.metrics;
  const port = { worker: workerPort, server: servePort, peer: undefined }[kind];
  if (port === undefined) return undefined;
  const { serveMetrics } = await import("../metrics/listen.ts");
  return serveMetrics({ port, control, tally }).catch((error: Error) => {
    ui.reporter.emit({ kind: "warn", text: `${error.message} The daemon works without metrics.` });
    return undefined;
  });
}

/** What `ichain status` shows of a daemon that works. */
export function viewOf(
  role: RoleContext,
  {
    config,
    disk,
    roles,
    reload,
  }: {
    readonly config: Config;
    readonly disk?: DiskBudget | undefined;
    readonly roles: readonly JobRole[];
    readonly reload: DaemonView["reload"];
  },
): DaemonView {
  const development = config.network?.chainId === DEVELOPMENT_CHAIN;
  return {
    account: role.account,
    roles,
    unfinished: () =>
      roles
        .flatMap((one) =>
          // Of federated jobs too, which have roles of their own in the journal.
          ([one, `federated-${one}`] as Role[]).flatMap((kind) =>
            role.journal.undertakings({ role: kind, unfinished: true }).map(({ key, openedAt }) => ({
              role: one,
              jobId: key as JobId,
              since: Math.floor(openedAt / 1000),
            })),
          ),
        )
        .toSorted((a, b) => a.since - b.since),
    health: (options) => examineHealth(role, { roles, home: config.home, disk, development }, options),
    earnings: (options) => sumEarnings(role, options),
    figures: figureReader(role, roles),
    reload,
  };
}
