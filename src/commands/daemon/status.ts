import { lockedKinds } from "../../compose.ts";
import type { DaemonStatus } from "../../control/messages.ts";
import { IchainError } from "../../errors/error.ts";
import { type Address, shortId } from "../../protocol/ids.ts";
import { duration, instant, money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { daemonName, jobsText, withDaemons } from "../steps/daemons.ts";

/**
 * Shows the daemons of this home: what they do, what they need, and what went wrong.
 * @throws DAEMON_NOT_RUNNING, DAEMON_UNHEALTHY with `check`
 */
export async function run(context: CommandContext, _args: object, options: { check?: true }): Promise<void> {
  const { ui, config } = context;
  const daemons = await withDaemons(context, (found) => Promise.all(found.map((one) => one.ask("status"))));
  const answered = new Set(daemons.map(({ kind }) => kind));
  const silent = (await lockedKinds(context)).filter((kind) => !answered.has(kind));
  ui.print({ home: config.home, daemons, silent }, () => {
    const now = Math.floor(Date.now() / 1000);
    const parts = daemons.map((daemon) => describeDaemon(daemon, now, ui.table));
    for (const kind of silent) {
      parts.push(`A process works here that does not answer, in place of ${daemonName(kind)}.`);
    }
    if (parts.length === 0) return `No daemon runs in ${config.home}.`;
    return parts.join("\n\n");
  });
  if (options.check) refuseUnhealthy(config.home, daemons, silent);
}

/**
 * For a supervisor, which reads the exit code. A daemon that has just started lacks nothing.
 * @throws DAEMON_NOT_RUNNING, DAEMON_UNHEALTHY
 */
export function refuseUnhealthy(
  home: string,
  daemons: readonly Pick<DaemonStatus, "health">[],
  silent: readonly unknown[],
): void {
  if (daemons.length + silent.length === 0) {
    throw new IchainError("DAEMON_NOT_RUNNING", `No daemon runs in ${home}.`, { details: { home } });
  }
  const lacking: string[] = daemons.flatMap(({ health }) =>
    health.filter(({ ok }) => !ok).map(({ name }) => name),
  );
  if (silent.length > 0) lacking.unshift("answer");
  if (lacking.length === 0) return;
  throw new IchainError("DAEMON_UNHEALTHY", `A daemon in ${home} lacks: ${lacking.join(", ")}.`, {
    details: { home, lacking },
  });
}

function describeDaemon(
  { kind, state, pid, since, roles, account, unfinished, jobs, health, earnings, warnings }: DaemonStatus,
  now: number,
  table: CommandContext["ui"]["table"],
): string {
  const who = account === undefined ? daemonName(kind) : `${roles.join(" and ") || "gossip peer"} ${account}`;
  const lines = [`${who}: ${state}, started ${duration(now - since)} ago, process ${pid}`];
  for (const { ok, name, found } of health) lines.push(`${ok ? "ok  " : "FAIL"} ${name}: ${found}`);
  if (earnings.length > 0) {
    const sums = earnings.map(({ token, amount }) =>
      money(BigInt(amount), { ...token, address: token.address as Address }),
    );
    lines.push(`Earned in all: ${sums.join(", ")} ("ichain earnings" lists the jobs)`);
  }
  lines.push(`Unfinished: ${unfinished === 0 ? "nothing" : jobsText(unfinished)}.`);
  if (jobs.length > 0) {
    const rows = jobs.map((job) => [
      shortId(job.jobId),
      job.role,
      duration(now - job.since),
      job.doing ?? "",
    ]);
    lines.push(table(["JOB", "ROLE", "FOR", "LAST"], rows));
  }
  if (warnings.length > 0) {
    lines.push(
      table(
        ["WARNED", ""],
        warnings.map(({ at, text }) => [instant(at), text]),
      ),
    );
  }
  return lines.join("\n");
}
