import { type Abortable, together } from "../async/abort.ts";
import type { DaemonContext } from "../compose.ts";
import type { AppContext } from "../context.ts";
import { IchainError } from "../errors/error.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import { serveCampaigns } from "../roles/campaign/serving/serve.ts";
import { runDaemon } from "../roles/daemon/daemon.ts";
import { leadDuty } from "../roles/federated/market/requester/serve-jobs.ts";
import { serveDuty } from "../roles/job/requester/serve.ts";
import { programVersion } from "../version.ts";
import { asDaemon, viewOf } from "./run.ts";
import { watchHealth } from "./watch-health.ts";

/**
 * Acts for the requester of every job that was submitted from this home, until the signal aborts; `ichain serve`.
 * @throws HOME_BUSY, LOG_UNWRITABLE
 */
export async function serve(context: AppContext): Promise<void> {
  await asDaemon(context, "server", async (daemon) => {
    const { ui, signal, config, control, logger } = daemon;
    const { openServer } = await import("../compose.ts");
    const federated = config.network?.contracts.federated !== undefined;
    const campaigns = config.network?.contracts.campaigns !== undefined;
    await using role = await openServer(daemon);
    const view = viewOf(role, { config, roles: ["requester"], reload: refuseReload });
    control.show(view);
    const { account } = role;
    const unfinished = view.unfinished().length;
    ui.print(
      { event: "serving", account, jobs: unfinished },
      () => `Acting for the jobs of ${account}, ${unfinished} of them unfinished. Ctrl-C stops.`,
    );
    logger.info("The daemon started", { requester: true, account, version: programVersion() });
    const { draining } = control;
    await using _health = watchHealth(view, role);
    const jobs = serveDuty(role, draining);
    // Leading a federated job means to measure its updates: without an engine they are left to `ichain resume`.
    const sandbox = federated ? await openProbed(daemon).catch(() => undefined) : undefined;
    const rounds = sandbox && leadDuty({ ...role, sandbox }, draining);
    await together(
      [
        (one: Abortable) => runDaemon(role, jobs, { ...one, draining }),
        ...(campaigns ? [(one: Abortable) => serveCampaigns(role, { ...one, draining })] : []),
        ...(rounds ? [(one: Abortable) => runDaemon(role, rounds, { ...one, draining })] : []),
      ],
      { signal },
    );
  });
}

/** @throws DOCKER_UNAVAILABLE */
async function openProbed(daemon: DaemonContext): Promise<Sandbox> {
  const { openSandbox } = await import("../compose.ts");
  const sandbox = await openSandbox(daemon);
  await sandbox.probe({ signal: daemon.signal });
  return sandbox;
}

async function refuseReload(): Promise<never> {
  throw new IchainError("CONTROL_REFUSED", "The requester's daemon has no policy.", {
    hint: "Start it again: it reads config.yaml when it starts.",
  });
}
