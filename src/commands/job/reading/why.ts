import { join } from "node:path";
import { shortId } from "../../../protocol/ids.ts";
import { wasAbandoned } from "../../../protocol/job/job.ts";
import { neutraliseLine } from "../../../protocol/neutralise.ts";
import { keptCheckpoint } from "../../../roles/job/requester/result/keep-checkpoints.ts";
import {
  type Asked,
  type ProviderAnswer,
  providersAsked,
} from "../../../roles/job/requester/successors/asked.ts";
import type { Links } from "../../../roles/job/requester/successors/go-on.ts";
import { instant } from "../../../ui/format.ts";
import { explainCampaign } from "../../data/reading/why.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { failedRunOf, failureSentence, noticeOf, noticeSentence } from "../../steps/notice.ts";
import { withReader } from "../../steps/reader.ts";
import { fromRecords, readLinks } from "../../steps/records.ts";
import { story } from "../../steps/story.ts";
import { readTokens } from "../../steps/tokens.ts";
import { linksData } from "../../steps/view.ts";
import { federatedToken } from "../federated/view.ts";
import { explainFederated } from "../federated/why.ts";
import { subjectOf } from "./subject.ts";

/** Explains in plain sentences where a job or a data campaign stands, who must act by when, and what happens then. */
export async function run(context: CommandContext, { id }: { id: string }): Promise<void> {
  const { ui, signal } = context;
  await withReader(context, async (view) => {
    const { market, account } = view;
    const subject = await subjectOf(market, id, { signal });
    if (subject.kind === "campaign") return await explainCampaign(context, view, subject.id);
    if (subject.kind === "federated") {
      const job = await market.federatedJob(subject.id, { signal });
      return explainFederated(context, job, {
        ...{ now: await market.now({ signal }), account },
        token: await federatedToken(context, market, job),
      });
    }
    const job = await market.job(subject.id, { signal });
    const tokens = await readTokens(context, market, [job.terms.token], { signal });
    const told = story(job, await market.now({ signal }), account, tokens);
    const { state, deadline, reason } = job;
    const said = told.role === "requester" ? await noticeOf(context, job.id) : undefined;
    const { log, version: _version, jobId: _id, ...notice } = said ?? {};
    const failure = told.role === "requester" ? await failedRunOf(context, job.id) : undefined;
    const links = (await readLinks(context, [job.id]))(job.id);
    const asked =
      (await fromRecords(context, (journal) => providersAsked(market, journal, job.id, { signal }))) ?? [];
    const checkpoint = (await keptCheckpoint(join(context.config.home, "jobs"), job.id))?.number;
    const learnt = {
      ...linksData(links),
      ...(checkpoint === undefined ? {} : { checkpoint }),
      ...(said ? { notice } : {}),
      ...(failure ? { failure } : {}),
      ...(asked.length > 0 ? { asked } : {}),
    };
    ui.print({ jobId: job.id, state, deadline, reason, ...learnt, ...told }, () => {
      const lines = [told.stands, told.next, told.otherwise, ...linksText(links)];
      if (checkpoint !== undefined) lines.push(`Its checkpoint ${checkpoint} is held here, sealed.`);
      if (links.next === undefined && told.role === "requester" && wasAbandoned(job))
        lines.push(`"ichain resume ${shortId(job.id)}" posts it to another provider.`);
      if (failure) lines.splice(1, 0, `"ichain logs ${shortId(job.id)}" shows what its task printed.`);
      if (failure) lines.splice(1, 0, failureSentence(failure));
      if (log || (told.role === "requester" && job.sealedLog))
        lines.splice(1, 0, `"ichain logs ${shortId(job.id)}" shows the end of what its task printed.`);
      if (said) lines.splice(1, 0, noticeSentence(said));
      if (reason !== undefined) lines.splice(1, 0, `The reason given: "${neutraliseLine(reason)}".`);
      lines.push(...askedText(asked));
      if (told.role !== undefined) lines.unshift(`You are the ${told.role} of this job.`);
      return lines.join("\n");
    });
  });
}

/** Nothing where the job's own provider is the only one: the sentences before say what it did. */
function askedText(asked: readonly Asked[]): string[] {
  if (asked.length < 2) return [];
  const line = ({ jobId, provider, answer, notice }: Asked, at: number) => {
    const said = notice ? `, signed ${instant(notice.at)} (${notice.code}): "${notice.reason}"` : "";
    return `${at + 1}. ${provider} with job ${shortId(jobId)}: ${answers[answer]}${said}`;
  };
  return ["Providers that were asked, in this order:", ...asked.map(line)];
}

const answers: Readonly<Record<ProviderAnswer, string>> = {
  accepted: "accepted it",
  declined: "declined",
  failed: "accepted it, and the run failed",
  none: "did not accept it before it was taken back",
  waiting: "has not answered yet",
};

function linksText({ previous, next }: Links): string[] {
  return [
    ...(previous ? [`It was posted in the place of job ${shortId(previous)}.`] : []),
    ...(next ? [`It goes on as job ${shortId(next)}.`] : []),
  ];
}
