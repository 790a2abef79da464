import { join } from "node:path";
import { openRecords, openRole } from "../../../compose.ts";
import { IchainError } from "../../../errors/error.ts";
import type { JobRole } from "../../../ports/journal.ts";
import { type JobId, shortId } from "../../../protocol/ids.ts";
import { failureText } from "../../../protocol/task/failure.ts";
import { followLog, reportedLog, sealedEnd } from "../../../roles/job/requester/result/follow-log.ts";
import { ownLog } from "../../../roles/task/own-log.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { endText, failedRunOf, noticeOf } from "../../steps/notice.ts";
import { withReader } from "../../steps/reader.ts";
import { roleIn } from "../../steps/view.ts";
import { printFederatedLogs } from "../federated/logs.ts";
import { federatedIdOf } from "../federated/view.ts";

/**
 * Prints what a job's task printed: on the machine that runs it from the journal, for the requester from
 * the run report, live from the provider while the task runs, or as far as its notice of a failed run or the chain has
 * it.
 */
export async function run(
  context: CommandContext,
  args: { id: string },
  options: { follow?: true },
): Promise<void> {
  const follow = options.follow === true;
  const found = await look(context, args.id, follow);
  if (found === undefined) return;
  const { id, role } = found;
  for await (const text of role === "requester"
    ? theirs(context, id, follow)
    : ours(context, id, role, follow)) {
    context.ui.stream({ jobId: id, text }, text);
  }
}

/** The job and this account's role in it; a federated job's logs are printed here, and it is undefined. */
async function look(
  context: CommandContext,
  given: string,
  follow: boolean,
): Promise<{ id: JobId; role: JobRole } | undefined> {
  return withReader(context, async (view) => {
    const { market, account } = view;
    const federated = await federatedIdOf(market, given, context.signal);
    if (federated !== undefined) {
      await printFederatedLogs(context, view, federated, { follow });
      return undefined;
    }
    const id = await market.resolveJob(given, { signal: context.signal });
    const role = roleIn(await market.job(id, { signal: context.signal }), account);
    if (role === undefined) throw notYours(id);
    return { id, role };
  });
}

async function* theirs(context: CommandContext, id: JobId, follow: boolean): AsyncGenerator<string> {
  const { config, signal } = context;
  const reported = await reportedLog(join(config.home, "jobs"), id);
  if (reported !== undefined) {
    yield reported;
    const failed = await failedRunOf(context, id);
    if (failed) yield `\n[${failureText(failed)}; ${endText(failed)}]\n`;
    return;
  }
  const notice = await noticeOf(context, id);
  if (notice?.log !== undefined) {
    yield notice.log;
    return yield `\n[${notice.reason}${notice.run ? `; ${endText(notice.run)}` : ""}]\n`;
  }
  await using role = await openRole(context);
  const end = await sealedEnd(role, await role.market.job(id, { signal }));
  if (end !== undefined) return yield end;
  yield* followLog(role, id, { follow }, { signal });
}

async function* ours(
  context: CommandContext,
  id: JobId,
  role: "provider" | "validator",
  follow: boolean,
): AsyncGenerator<string> {
  const journal = await openRecords(context);
  try {
    const undertaking = journal.find(role, id);
    if (undertaking === undefined) throw notYours(id);
    const running = undertaking.finished === undefined;
    yield* ownLog(journal.open(role, id), { follow: follow && running }, { signal: context.signal });
  } finally {
    journal.close();
  }
}

function notYours(id: JobId): IchainError {
  return new IchainError("LOG_NOT_HERE", `This account has no part in job ${shortId(id)} here.`);
}
