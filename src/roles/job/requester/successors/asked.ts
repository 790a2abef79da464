import type { Abortable } from "../../../../async/abort.ts";
import type { Journal } from "../../../../ports/journal.ts";
import type { MarketReader } from "../../../../ports/market.ts";
import type { Address, Hex, JobId } from "../../../../protocol/ids.ts";
import type { Job } from "../../../../protocol/job/job.ts";
import { type Notice, shownNotice } from "../../../../protocol/task/notice.ts";
import { draftOf } from "../posting/draft.ts";
import { signedNoticeIn } from "../take-notice.ts";

/** How a provider answered: `none` where its time to accept passed, or the job was taken back before. */
export type ProviderAnswer = "accepted" | "declined" | "failed" | "none" | "waiting";

/** A provider that was asked to do the work of a job. */
export interface Asked {
  /** The job that it was asked with. */
  readonly jobId: JobId;
  readonly provider: Address;
  readonly answer: ProviderAnswer;
  /** What it said, with its account's signature; a stranger's words. */
  readonly notice?: Pick<Notice, "code" | "reason" | "at"> & { readonly signature: Hex };
}

/** The providers that were asked before that of `jobId`, and that one, the first first; empty for a job of another home. */
export async function providersAsked(
  market: Pick<MarketReader, "job">,
  journal: Pick<Journal, "find" | "open">,
  jobId: JobId,
  options: Abortable,
): Promise<readonly Asked[]> {
  if (journal.find("requester", jobId) === undefined) return [];
  const before = draftOf(journal.open("requester", jobId))?.again?.asked ?? [];
  const asked: Asked[] = [];
  for (const id of [...before, jobId]) {
    const job = await market.job(id, options);
    const signed = journal.find("requester", id) && signedNoticeIn(journal.open("requester", id));
    const notice = signed && shownNotice(signed);
    asked.push({
      ...{ jobId: id, provider: job.terms.provider, answer: answerTo(job, notice) },
      ...(signed &&
        notice && {
          notice: {
            ...{ code: notice.code, reason: notice.reason, at: notice.at },
            signature: signed.signature,
          },
        }),
    });
  }
  return asked;
}

function answerTo({ state }: Job, notice: Notice | undefined): ProviderAnswer {
  if (state !== "Posted" && state !== "Cancelled") return notice?.kind === "failed" ? "failed" : "accepted";
  if (notice?.kind === "declined") return "declined";
  return state === "Posted" ? "waiting" : "none";
}
