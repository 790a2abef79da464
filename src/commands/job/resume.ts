import type { Abortable } from "../../async/abort.ts";
import { openLead } from "../../compose.ts";
import { IchainError } from "../../errors/error.ts";
import type { JobJournal, Journal } from "../../ports/journal.ts";
import { type JobId, shortId } from "../../protocol/ids.ts";
import { type Job, wasAbandoned } from "../../protocol/job/job.ts";
import { carryOnCampaigns } from "../../roles/campaign/serving/carry-on.ts";
import type { RoleContext } from "../../roles/context.ts";
import { federatedDraftOf } from "../../roles/federated/market/requester/draft.ts";
import { advance } from "../../roles/job/requester/advance.ts";
import { discardDraft } from "../../roles/job/requester/posting/cancel.ts";
import { draftOf } from "../../roles/job/requester/posting/draft.ts";
import { advanceSuccessors, linksOf, turnOf } from "../../roles/job/requester/successors/go-on.ts";
import { draftAgain } from "../../roles/job/requester/successors/post-again.ts";
import { isLost } from "../../roles/shared/lost-job.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { fromRecords } from "../steps/records.ts";
import { withRole } from "../steps/role.ts";
import { resumeFederated } from "./federated/resume.ts";

/**
 * Carries on what was begun: every unfinished job of this account as requester, or one. One whose provider gave it back
 * or was lost is posted again.
 */
export async function run(context: CommandContext, args: { id?: string }): Promise<void> {
  const { ui, config, signal } = context;
  const led = await fromRecords(context, (journal) => ledIn(journal, args.id));
  if (args.id !== undefined && led?.[0] !== undefined) {
    await using lead = await openLead(context);
    return await resumeFederated(context, lead, led[0]);
  }
  await withRole(context, async (role) => {
    const onState = ({ id, state }: Job) =>
      ui.reporter.emit({ kind: "info", text: `Job ${shortId(id)} is ${state}` });
    const carryOn = async (id: JobId): Promise<Job | undefined> => {
      if (!(await mayPost(role, id, { signal }))) return undefined;
      const job = await advance(role, id, { onState, stopWhenDeclined: true }, { signal });
      return advanceSuccessors(role, job, config.audit, { onState }, { signal });
    };
    const ids = args.id === undefined ? unfinished(role) : [await named(context, role, args.id)];
    // One that fails, or for which `ichain serve` acts already, must not stop the others.
    const ends = await Promise.allSettled(ids.map(carryOn));
    const failed = ends.find((end) => end.status === "rejected");
    if (failed) throw failed.reason;
    const jobs = ends.flatMap((end) => (end.status === "fulfilled" && end.value ? [end.value] : []));
    const acts = args.id === undefined ? await carryOnCampaigns(role, { signal }) : [];
    const data = { jobs: jobs.map(({ id, state, verdict }) => ({ jobId: id, state, verdict })) };
    ui.print({ ...data, ...(acts.length > 0 && { campaigns: acts }) }, () =>
      jobs.length + acts.length === 0
        ? "No job is unfinished."
        : [
            ...jobs.map(({ id, state }) => `Job ${shortId(id)} is ${state}.`),
            ...acts.map(({ campaignId, act }) => `Campaign ${shortId(campaignId)}: ${act} is done.`),
          ].join("\n"),
    );
  });
  if (led === undefined || led.length === 0) return;
  await using lead = await openLead(context);
  for (const id of led) await resumeFederated(context, lead, id);
}

/** The federated jobs of this home that are not at their end, or the one that starts with `prefix`. */
function ledIn(journal: Journal, prefix: string | undefined): JobId[] {
  return (
    journal
      .undertakings({ role: "federated-requester", unfinished: true })
      .map(({ key }) => key as JobId)
      // Without a draft a process was killed before it fixed anything.
      .filter((key) => federatedDraftOf(journal.open("federated-requester", key)) !== undefined)
      .filter((key) => prefix === undefined || key.slice(2).startsWith(prefix.replace(/^0x/, "")))
  );
}

/**
 * False for a job that was drafted in another's place and is not, or not yet, to be posted. One that another draft has
 * taken the place of, because a crash came before it was recorded, is discarded.
 */
async function mayPost(role: RoleContext, id: JobId, options: Abortable): Promise<boolean> {
  const record = role.journal.open("requester", id);
  const after = draftOf(record)?.again?.after;
  if (after === undefined || record.intent("post") !== undefined) return true;
  const turn = await turnOf(role, id, after, options);
  if (turn === "discard") await discardDraft(role, id);
  return turn === "post";
}

/**
 * Every unfinished job, except one that is posted by the work on the job before it, and one that was never drafted: its
 * `submit` was killed before anything was posted.
 */
function unfinished(role: RoleContext): JobId[] {
  const open = role.journal.undertakings({ role: "requester", unfinished: true });
  const ids = open.map(({ key }) => key as JobId).filter((id) => isBegun(role.journal.open("requester", id)));
  return ids.filter((id) => firstUnfinished(role, id) === id);
}

const isBegun = (journal: JobJournal) => draftOf(journal) !== undefined || isLost(journal);

/** The job that this one is to follow, where that is unfinished itself; else this one. */
function firstUnfinished({ journal }: RoleContext, id: JobId): JobId {
  const after = draftOf(journal.open("requester", id))?.again?.after;
  const before = after === undefined ? undefined : journal.find("requester", after);
  return before !== undefined && before.finished === undefined ? (before.key as JobId) : id;
}

/**
 * The job to carry on for the one that starts with `prefix`, or for the last of those that follow it: a new draft where
 * that was abandoned.
 */
async function named({ config, signal }: CommandContext, role: RoleContext, prefix: string): Promise<JobId> {
  const digits = prefix.replace(/^0x/, "");
  const known = role.journal
    .undertakings({ role: "requester" })
    .filter(({ key }) => key.startsWith(digits, 2));
  const open = known.filter(({ finished }) => finished === undefined);
  const [one, ...more] = open.length > 0 ? open : known;
  if (one === undefined || more.length > 0) throw notOne(prefix, one === undefined ? 0 : more.length + 1);
  let id = firstUnfinished(role, one.key as JobId);
  for (let { next } = linksOf(role.journal, id); next !== undefined; { next } = linksOf(role.journal, id))
    id = next;
  if (role.journal.find("requester", id)?.finished === undefined) return id;
  const job = await role.market.job(id, { signal });
  if (!wasAbandoned(job)) throw notOne(prefix, 0);
  const found = await draftAgain(role, job, config.audit, { asked: true }, { signal });
  if ("next" in found) return found.next;
  throw new IchainError("JOB_NOT_POSTED_AGAIN", `Job ${shortId(id)} is not posted again: ${found.why}.`);
}

function notOne(prefix: string, found: number): IchainError {
  return new IchainError(
    found === 0 ? "JOB_UNKNOWN" : "JOB_AMBIGUOUS",
    `${found === 0 ? "No unfinished job" : `${found} unfinished jobs`} of this home starts with ${prefix}.`,
    { hint: '"ichain jobs" lists them.' },
  );
}
