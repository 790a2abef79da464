import { resolve } from "node:path";
import { isServed, openRole } from "../../compose.ts";
import { IchainError, isIchainError } from "../../errors/error.ts";
import { type Address, sameAddress, shortId } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job/job.ts";
import type { JobFile } from "../../protocol/task/spec.ts";
import type { RoleContext } from "../../roles/context.ts";
import { advance } from "../../roles/job/requester/advance.ts";
import { cancel, discardDraft } from "../../roles/job/requester/posting/cancel.ts";
import { draftJob } from "../../roles/job/requester/posting/draft-job.ts";
import { hostBundle, placeBundle } from "../../roles/job/requester/posting/host-bundle.ts";
import { audit, type Candidates, findCandidates, type Plan } from "../../roles/job/requester/posting/plan.ts";
import { declinedIn } from "../../roles/job/requester/take-notice.ts";
import { coin } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { choosePlan, type PlanChoice } from "../steps/choose.ts";
import { refuseUnaffordable } from "../steps/funds.ts";
import { loadJobFile } from "../steps/job-file.ts";
import { finished, resultFolder } from "../steps/result.ts";
import { story } from "../steps/story.ts";

interface Options extends PlanChoice {
  readonly wait?: true;
  readonly detach?: true;
  readonly out?: string;
  readonly yes?: true;
  readonly tries: number;
}

interface Declined {
  readonly provider: Address;
  readonly code: string;
  readonly reason: string;
}

/** Posts a job, to another provider while they decline; with --wait carries it to its opened result. */
export async function run(context: CommandContext, args: { file: string }, options: Options): Promise<void> {
  const { ui, signal, config } = context;
  if (options.detach && options.wait) throw bothWays();
  if (options.detach && !(await isServed(context))) throw notServed();
  const { file, folder } = await loadJobFile(args.file);
  await using role = await openRole(context);
  const declined: Declined[] = [];
  for (;;) {
    const candidates = without(declined, await findCandidates(role.market, file, role.account, { signal }));
    if (candidates.providers.length === 0) throw allDeclined(declined);
    const plan = await choosePlan(ui, file, candidates, options, (provider) =>
      audit(role, provider, config.audit, { signal }),
    );
    if (!(await confirmed(context, role, plan, options))) return;
    const job = await post(context, role, { file, folder, plan }, options);
    const notice = job.state === "Posted" ? declinedIn(role.journal.open("requester", job.id)) : undefined;
    if (!notice) return await print(context, role, job, options);
    declined.push({ provider: plan.provider.account, code: notice.code, reason: notice.reason });
    const accepted = await takeBack(role, job, options, { signal });
    if (accepted) return await print(context, role, accepted, options);
    const named = options.provider !== undefined && options.provider !== "best";
    if (named || declined.length >= options.tries) throw allDeclined(declined);
  }
}

function without(declined: readonly Declined[], candidates: Candidates): Candidates {
  const asked = ({ account }: { account: Address }) =>
    declined.some(({ provider }) => sameAddress(provider, account));
  return { ...candidates, providers: candidates.providers.filter((offer) => !asked(offer)) };
}

async function confirmed(
  { ui, signal }: CommandContext,
  role: RoleContext,
  { outline: { price, validatorFee, validators } }: Plan,
  { yes }: Options,
): Promise<boolean> {
  const total = price + validatorFee * BigInt(validators);
  await refuseUnaffordable(role.market, role.account, total, { signal });
  if (!ui.interactive || yes) return true;
  const question = `Lock ${coin(price)} and ${coin(total - price)} in validators' fees?`;
  return ui.prompts.confirm(question, true);
}

/**
 * Drafts and posts the job and advances it, with --wait to its end; a declined one is left in Posted. The bundle's address
 * is published while the bundle is packed.
 */
async function post(
  { ui, signal }: CommandContext,
  role: RoleContext,
  drafted: { file: JobFile; folder: string; plan: Plan },
  { wait, detach }: Options,
): Promise<Job> {
  const place = await placeBundle(role, drafted.plan, { signal });
  await using bundle = detach ? undefined : hostBundle(role, place, { signal });
  bundle?.publish();
  const jobId = await draftJob(role, { ...drafted, place }, { signal });
  try {
    return await advance(
      role,
      jobId,
      {
        stopAt: stopsOf(wait),
        stopWhenDeclined: true,
        detach: detach === true,
        bundle,
        onState: ({ state }) => ui.reporter.emit({ kind: "info", text: `Job ${shortId(jobId)} is ${state}` }),
      },
      { signal },
    );
  } catch (error) {
    if (!signal.aborted) await discardDraft(role, jobId);
    else
      ui.reporter.emit({ kind: "warn", text: `Job ${shortId(jobId)} is left as it is: ${resumes(jobId)}` });
    throw error;
  }
}

/** Takes a declined job back; one that its provider accepted all the same is advanced, and returned. */
async function takeBack(
  role: RoleContext,
  { id }: Job,
  { wait }: Options,
  abortOptions: { signal: AbortSignal },
): Promise<Job | undefined> {
  try {
    await cancel(role, id, abortOptions);
    return undefined;
  } catch (error) {
    if (!isIchainError(error, "ESCROW_INVALID_STATUS")) throw error;
    return advance(role, id, { stopAt: stopsOf(wait) }, abortOptions);
  }
}

async function print(
  context: CommandContext,
  role: RoleContext,
  job: Job,
  { wait, out }: Options,
): Promise<void> {
  const { ui, signal } = context;
  if (wait) return await finished(role, ui, job, resolve(out ?? resultFolder(job.id)), { signal });
  const now = await role.market.now({ signal });
  const served = await isServed(context);
  const { next, otherwise } = story(job, now, role.account);
  const id = shortId(job.id);
  ui.print({ jobId: job.id, state: job.state }, () =>
    served
      ? `Job ${id} is ${job.state}; "ichain serve" acts for it from here on.`
      : `Job ${id} is ${job.state}. Nobody acts for it here until "ichain resume ${id}" or "ichain serve" runs.\n` +
        `${next}\n${otherwise}`,
  );
}

function stopsOf(wait: true | undefined) {
  return wait ? [] : (["Accepted", "Submitted", "Validating"] as const);
}

const resumes = (jobId: Job["id"]) => `"ichain resume ${shortId(jobId)}" carries it on.`;

function bothWays(): IchainError {
  return new IchainError("USAGE", "--wait stays and --detach leaves: one of them only.", {
    hint: '"ichain watch ID" follows a detached job, "ichain get ID" opens its result.',
  });
}

function notServed(): IchainError {
  return new IchainError(
    "SERVE_NOT_RUNNING",
    "No `ichain serve` works in this home: nobody would host the bundle.",
  );
}

function allDeclined(declined: readonly Declined[]): IchainError {
  const last = declined.at(-1);
  const who = declined.length === 1 ? "The provider declined" : `All ${declined.length} providers declined`;
  return new IchainError(
    "JOB_DECLINED",
    `${who} the job (${last?.code}): ${last?.reason.replace(/\.$/, "")}.`,
    {
      details: { declined },
    },
  );
}
