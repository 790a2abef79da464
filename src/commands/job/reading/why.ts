import { shortId } from "../../../protocol/ids.ts";
import { neutraliseLine } from "../../../protocol/neutralise.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { failedRunOf, failureSentence, noticeOf, noticeSentence } from "../../steps/notice.ts";
import { withReader } from "../../steps/reader.ts";
import { story } from "../../steps/story.ts";
import { readTokens } from "../../steps/tokens.ts";

/** Explains in plain sentences where a job stands, who must act by when, and what happens then. */
export async function run(context: CommandContext, { id }: { id: string }): Promise<void> {
  const { ui, signal } = context;
  await withReader(context, async ({ market, account }) => {
    const job = await market.job(await market.resolveJob(id, { signal }), { signal });
    const tokens = await readTokens(context, market, [job.terms.token], { signal });
    const told = story(job, await market.now({ signal }), account, tokens);
    const { state, deadline, reason } = job;
    const said = told.role === "requester" ? await noticeOf(context, job.id) : undefined;
    const { log, version: _version, jobId: _id, ...notice } = said ?? {};
    const failure = told.role === "requester" ? await failedRunOf(context, job.id) : undefined;
    const learnt = { ...(said ? { notice } : {}), ...(failure ? { failure } : {}) };
    ui.print({ jobId: job.id, state, deadline, reason, ...learnt, ...told }, () => {
      const lines = [told.stands, told.next, told.otherwise];
      if (failure) lines.splice(1, 0, `"ichain logs ${shortId(job.id)}" shows what its task printed.`);
      if (failure) lines.splice(1, 0, failureSentence(failure));
      if (log || (told.role === "requester" && job.sealedLog))
        lines.splice(1, 0, `"ichain logs ${shortId(job.id)}" shows the end of what its task printed.`);
      if (said) lines.splice(1, 0, noticeSentence(said));
      if (reason !== undefined) lines.splice(1, 0, `The reason given: "${neutraliseLine(reason)}".`);
      if (told.role !== undefined) lines.unshift(`You are the ${told.role} of this job.`);
      return lines.join("\n");
    });
  });
}
