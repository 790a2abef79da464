import type { JobJournal } from "../../../ports/journal.ts";
import { toHex } from "../../../protocol/bytes.ts";
import { type JobId, shortId } from "../../../protocol/ids.ts";
import {
  decodeNotice,
  type Notice,
  type SignedNotice,
  shownNotice,
  untrustedNotice,
} from "../../../protocol/task/notice.ts";
import type { RoleContext } from "../../context.ts";
import type { Draft } from "./posting/draft.ts";

const STEP = "notice";
/** The step whose outcome is the final state of a job. */
export const ENDED_STEP = "ended";
/** First byte of a notice that is not sealed. */
const BRACE = 0x7b;

/**
 * Checks and keeps a notice that was left with the bundle's host; a job has one, and later ones are ignored.
 * @throws NOTICE_UNTRUSTED
 */
export async function takeNotice(
  { market, keyring, reporter }: Pick<RoleContext, "market" | "keyring" | "reporter">,
  journal: JobJournal,
  { terms }: Draft,
  bytes: Uint8Array,
): Promise<Notice> {
  const opened = bytes[0] === BRACE ? bytes : await keyring.unseal(toHex(bytes));
  const signed = decodeNotice(opened);
  if (signed.notice.jobId !== journal.key) throw untrustedNotice("it is about another job");
  if (!market.isSigned(signed, terms.provider)) throw untrustedNotice("the provider did not sign it");
  const known = journal.outcome<SignedNotice>(STEP);
  if (known) return shownNotice(known);
  await journal.step(STEP, { prepare: () => signed, act: (notice) => notice });
  const notice = shownNotice(signed);
  reporter.emit({ kind: "warn", text: noticeText(journal.key as JobId, notice) });
  return notice;
}

/** The notice that a job's provider left, as it signed it; undefined where there is none. */
export function signedNoticeIn(journal: Pick<JobJournal, "outcome">): SignedNotice | undefined {
  return journal.outcome<SignedNotice>(STEP);
}

/** The notice that a job's provider left; undefined where there is none. */
export function noticeIn(journal: Pick<JobJournal, "outcome">): Notice | undefined {
  const signed = signedNoticeIn(journal);
  return signed && shownNotice(signed);
}

export function declinedIn(journal: Pick<JobJournal, "outcome">): Notice | undefined {
  const notice = noticeIn(journal);
  return notice?.kind === "declined" ? notice : undefined;
}

function noticeText(jobId: JobId, { kind, code, reason }: Notice): string {
  const did = kind === "declined" ? "The provider declines" : "The run failed of";
  return `${did} job ${shortId(jobId)} (${code}): ${reason}`;
}
