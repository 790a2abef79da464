import type { AppContext } from "../context.ts";
import { IchainError } from "../errors/error.ts";
import { runDaemon } from "../roles/daemon/daemon.ts";
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
    await using role = await openServer(daemon);
    const view = viewOf(role, { config, roles: ["requester"], reload: refuseReload });
    control.show(view);
    const { account } = role;
    const jobs = view.unfinished().length;
    ui.print(
      { event: "serving", account, jobs },
      () => `Acting for the jobs of ${account}, ${jobs} of them unfinished. Ctrl-C stops.`,
    );
    logger.info("The daemon started", { requester: true, account, version: programVersion() });
    const { draining } = control;
    await using _health = watchHealth(view, role);
    await runDaemon(role, serveDuty(role, draining), { signal, draining });
  });
}

async function refuseReload(): Promise<never> {
  throw new IchainError("CONTROL_REFUSED", "The requester's daemon has no policy.", {
    hint: "Start it again: it reads config.yaml when it starts.",
  });
}
