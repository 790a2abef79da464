import { resolve } from "node:path";
import { isIchainError } from "../../../errors/error.ts";
import type { JobId } from "../../../protocol/ids.ts";
import { toJson } from "../../../ui/format.ts";
import { route, type WebRoute } from "../../../web/endpoint.ts";
import { resultFolder } from "../../steps/result.ts";
import { jobsApi } from "../api/jobs.ts";
import { runCommand } from "../context.ts";
import type { PageContext } from "../page.ts";

/** Of a log, characters that are kept for those who open it later. */
const KEPT = 65_536;
/** Logs that are kept; those that are being followed always are. */
const MAX_LOGS = 20;

interface FollowedLog {
  text: string;
  /** Characters of it that came before what is kept. */
  dropped: number;
  running: boolean;
  error?: { readonly code: string; readonly message: string } | undefined;
}

/** What is done to a job that is posted. */
export function actRoutes(page: PageContext): readonly WebRoute[] {
  const { context, market, keys, hub } = page;
  const logs = new Map<JobId, FollowedLog>();
  const find = async (id: string, signal: AbortSignal): Promise<JobId> => {
    try {
      return await market.resolveJob(id, { signal });
    } catch (error) {
      if (!isIchainError(error, "JOB_UNKNOWN")) throw error;
      return market.resolveFederatedJob(id, { signal });
    }
  };

  function follow(id: JobId): void {
    const before = logs.get(id);
    if (before?.running) return;
    const log: FollowedLog = { text: "", dropped: 0, running: true };
    logs.delete(id);
    logs.set(id, log);
    for (const [old, { running }] of logs) if (logs.size > MAX_LOGS && !running) logs.delete(old);
    const onText = (piece: string): void => {
      const at = log.dropped + log.text.length;
      const whole = log.text + piece;
      log.text = whole.slice(-KEPT);
      log.dropped += whole.length - log.text.length;
      hub.emit("log", toJson({ jobId: id, at, text: piece.slice(-KEPT) }));
    };
    void runCommand(context, "logs", { args: { id }, options: { follow: true } }, { onText })
      .catch((error: unknown) => {
        log.error = isIchainError(error)
          ? { code: error.code, message: `${error.message} ${error.hint}` }
          : { code: "INTERNAL", message: String(error) };
      })
      .finally(() => {
        log.running = false;
        hub.emit("log-end", toJson({ jobId: id, error: log.error }));
      });
  }

  return [
    route(jobsApi.log, async ({ id }, { signal }) => {
      const job = await find(id, signal);
      follow(job);
      const { text, dropped, running, error } = logs.get(job)!;
      return { jobId: job, text, dropped, running, error };
    }),
    route(jobsApi.stop, async ({ id }) => {
      keys.password();
      return runCommand(context, "stop", { args: { id } });
    }),
    route(jobsApi.cancel, async ({ id }) => {
      keys.password();
      return runCommand(context, "cancel", { args: { id } });
    }),
    route(jobsApi.challenge, async ({ id }) => {
      keys.password();
      return runCommand(context, "challenge", { args: { id } });
    }),
    route(jobsApi.rate, async ({ id, score }) => {
      keys.password();
      return runCommand(context, "rate", { args: { id, score } });
    }),
    route(jobsApi.get, async ({ id }, { signal }) => {
      keys.password();
      const out = resolve(resultFolder(await find(id, signal)));
      const got = await runCommand(context, "get", {
        args: { id },
        options: { out },
      });
      hub.emit("job", toJson({ jobId: id }));
      return got;
    }),
  ];
}
