import { isServed } from "../../compose.ts";
import { IchainError, isIchainError } from "../../errors/error.ts";
import type { TokenInfo } from "../../protocol/amounts.ts";
import { type Address, type JobId, sameAddress, shortId } from "../../protocol/ids.ts";
import { type Job, wasUnanswered } from "../../protocol/job/job.ts";
import { lockedBy } from "../../protocol/job/terms.ts";
import type { JobFile } from "../../protocol/task/spec.ts";
import type { RoleContext } from "../../roles/context.ts";
import { advance } from "../../roles/job/requester/advance.ts";
import { refuseOverBudget } from "../../roles/job/requester/posting/budget.ts";
import { cancel, discardDraft } from "../../roles/job/requester/posting/cancel.ts";
import { choosePlan } from "../../roles/job/requester/posting/choose.ts";
import type { Again } from "../../roles/job/requester/posting/draft.ts";
import { draftJob } from "../../roles/job/requester/posting/draft-job.ts";
import { hostBundle, placeBundle } from "../../roles/job/requester/posting/host-bundle.ts";
import { audit, type Candidates, findCandidates, type Plan } from "../../roles/job/requester/posting/plan.ts";
import { advanceSuccessors } from "../../roles/job/requester/successors/go-on.ts";
import { declinedIn } from "../../roles/job/requester/take-notice.ts";
import { coin, money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import type { LoadedJob } from "../steps/job-file.ts";
import { chooserOf, type PlanChoice } from "../steps/planning/chooser.ts";
import { refuseUnaffordable } from "../steps/planning/funds.ts";

export interface SubmitOptions extends PlanChoice {
  readonly wait?: true;
  readonly dryRun?: true;
  readonly explain?: true;
  readonly detach?: true;
  readonly out?: string;
  readonly yes?: true;
  /** Most that the job may lock, smallest unit of its token, where its owner agreed to a sum before. */
  readonly most?: bigint;
  readonly tries: number;
  readonly failover?: number;
  /** Seconds. */
  readonly within?: number;
  /** Of a matrix: most that its jobs may lock together, in the unit of their token as people write it. */
  readonly budget?: string;
  readonly atOnce?: number;
}

interface Declined {
  readonly jobId: JobId;
  readonly provider: Address;
  readonly code: string;
  readonly reason: string;
}

/** @throws USAGE, SERVE_NOT_RUNNING */
export async function refuseContradictions(context: CommandContext, options: SubmitOptions): Promise<void> {
  if (options.detach && options.wait) throw bothWays();
  if (options.detach) await refuseUnserved(context);
  if (options.within !== undefined && !options.failover) throw withinNothing();
}

/**
 * Posts a job, to another provider while they decline, and advances it, with `wait` to its end; undefined where its
 * owner did not confirm it.
 * @throws JOB_DECLINED
 */
export async function placeJob(
  context: CommandContext,
  role: RoleContext,
  { file, folder }: LoadedJob,
  options: SubmitOptions,
): Promise<Job | undefined> {
  const { ui, signal, config } = context;
  const declined: Declined[] = [];
  for (;;) {
    const candidates = without(declined, await findCandidates(role.market, file, role.account, { signal }));
    if (candidates.providers.length === 0) throw allDeclined(declined);
    const plan = await choosePlan(file, candidates, chooserOf(ui, candidates, options), (provider) =>
      audit(role, provider, config.audit, { signal }),
    );
    if (!(await confirmed(context, role, plan, options))) return undefined;
    const job = await post(context, role, { file, folder, plan, declined }, options);
    const told = await answerOf(role, job, { signal });
    if (told === undefined) return await last(context, role, job, options);
    declined.push({ jobId: job.id, provider: plan.provider.account, ...told });
    const accepted = await takeBack(role, job, options, { signal });
    if (accepted) return await last(context, role, accepted, options);
    const named = options.provider !== undefined && options.provider !== "best";
    if (named || declined.length >= options.tries) throw allDeclined(declined);
  }
}

/** Why the provider of a posted job does not take it; undefined where it took it, or may still. */
async function answerOf(
  { journal, market }: RoleContext,
  job: Job,
  abortOptions: { signal: AbortSignal },
): Promise<Pick<Declined, "code" | "reason"> | undefined> {
  if (job.state !== "Posted") return undefined;
  const notice = declinedIn(journal.open("requester", job.id));
  if (notice) return { code: notice.code, reason: notice.reason };
  if (!wasUnanswered(job, await market.now(abortOptions))) return undefined;
  return { code: "NO_ANSWER", reason: "It did not accept the job in time." };
}

function without(declined: readonly Declined[], candidates: Candidates): Candidates {
  const asked = ({ account }: { account: Address }) =>
    declined.some(({ provider }) => sameAddress(provider, account));
  return { ...candidates, providers: candidates.providers.filter((offer) => !asked(offer)) };
}

async function confirmed(
  { ui, signal }: CommandContext,
  role: RoleContext,
  { outline, token }: Plan,
  { yes, most }: SubmitOptions,
): Promise<boolean> {
  refuseOverBudget(role, { locked: lockedBy(outline), token });
  const total = lockedBy(outline);
  refuseMoreThanAgreed({ locked: total, token }, most);
  await refuseUnaffordable(role.market, role.account, { total, token }, { signal });
  if (!ui.interactive || yes) return true;
  const { price } = outline;
  const fees = money(total - price, token);
  const question = `Lock ${money(price, token)} and ${fees} in validators' fees, against a stake of ${coin(outline.providerStake)}?`;
  return ui.prompts.confirm(question, true);
}

/**
 * Drafts and posts the job and advances it, with --wait to its end; a declined one is left in Posted. The bundle's address
 * is published while the bundle is packed.
 */
async function post(
  { ui, signal }: CommandContext,
  role: RoleContext,
  drafted: { file: JobFile; folder: string; plan: Plan; declined: readonly Declined[] },
  options: SubmitOptions,
): Promise<Job> {
  const place = await placeBundle(role, drafted.plan, { signal });
  await using bundle = options.detach ? undefined : hostBundle(role, place, { signal });
  bundle?.publish();
  const again = agreedTo(ui, drafted, options, await role.market.now({ signal }));
  const jobId = await draftJob(role, { ...drafted, place, again }, { signal });
  try {
    return await advance(
      role,
      jobId,
      {
        stopAt: stopsOf(options.wait),
        stopWhenDeclined: true,
        detach: options.detach === true,
        bundle,
        onState: tell(ui),
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

/**
 * What `ichain serve` may do by itself: ask other providers only where the owner picked none, post again as often as the
 * owner said, all for no more than agreed.
 */
function agreedTo(
  { interactive }: CommandContext["ui"],
  { file, plan: { outline }, declined }: { file: JobFile; plan: Plan; declined: readonly Declined[] },
  { detach, provider, tries, yes, most, failover = 0, within }: SubmitOptions,
  now: number,
): Again {
  const asksNext = detach && (provider === undefined ? !interactive : provider === "best");
  const agreed = (interactive && !yes) || failover > 0 || most !== undefined;
  return {
    ...{ file, tries: asksNext || failover > 0 ? tries : 1, passed: [], failovers: failover },
    asked: declined.map(({ jobId }) => jobId),
    ...(within !== undefined && { until: now + within }),
    ...(agreed && { most: most ?? lockedBy(outline) }),
  };
}

/** Takes a declined job back; one that its provider accepted all the same is advanced, and returned. */
async function takeBack(
  role: RoleContext,
  { id }: Job,
  { wait }: SubmitOptions,
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

/** The job itself, or the last of those that were posted in its place when it was abandoned. */
function last(
  { config, ui, signal }: CommandContext,
  role: RoleContext,
  job: Job,
  { wait }: SubmitOptions,
): Promise<Job> {
  const onState = tell(ui);
  return advanceSuccessors(role, job, config.audit, { stopAt: stopsOf(wait), onState }, { signal });
}

const tell =
  ({ reporter }: CommandContext["ui"]) =>
  ({ id, state }: Job) =>
    reporter.emit({ kind: "info", text: `Job ${shortId(id)} is ${state}` });

function stopsOf(wait: true | undefined) {
  return wait ? [] : (["Accepted", "Submitted", "Validating"] as const);
}

const resumes = (jobId: Job["id"]) => `"ichain resume ${shortId(jobId)}" carries it on.`;

/** @throws BUDGET_EXCEEDED where a job would lock more than its owner agreed to */
export function refuseMoreThanAgreed(
  { locked, token }: { readonly locked: bigint; readonly token: TokenInfo },
  most: bigint | undefined,
): void {
  if (most === undefined || locked <= most) return;
  throw new IchainError(
    "BUDGET_EXCEEDED",
    `The job would lock ${money(locked, token)} now, and ${money(most, token)} was agreed to.`,
    { hint: "Prices or the job's file have changed: look at the plan again." },
  );
}

function bothWays(): IchainError {
  return new IchainError("USAGE", "--wait stays and --detach leaves: one of them only.", {
    hint: '"ichain watch ID" follows a detached job, "ichain get ID" opens its result.',
  });
}

function withinNothing(): IchainError {
  return new IchainError("USAGE", "--within bounds how long a job may be posted again: say how often.", {
    hint: "Add --failover N.",
  });
}

/** @throws SERVE_NOT_RUNNING */
export async function refuseUnserved(context: CommandContext): Promise<void> {
  if (!(await isServed(context))) throw notServed();
}

function notServed(): IchainError {
  return new IchainError(
    "SERVE_NOT_RUNNING",
    "No `ichain serve` works in this home: nobody would host the bundle.",
  );
}

function allDeclined(declined: readonly Declined[]): IchainError {
  const last = declined.at(-1);
  const who =
    declined.length === 1 ? "The provider did not take" : `None of ${declined.length} providers took`;
  return new IchainError(
    "JOB_DECLINED",
    `${who} the job (${last?.code}): ${last?.reason.replace(/\.$/, "")}.`,
    {
      hint: `The money came back; change what the reason names, or choose another provider. "ichain why ${shortId(last?.jobId ?? "0x")}" lists all.`,
      details: { declined },
    },
  );
}
