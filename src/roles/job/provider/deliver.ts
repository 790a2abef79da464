import { type Abortable, aborted } from "../../../async/abort.ts";
import { impossible, isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Market, Receipt } from "../../../ports/market.ts";
import type { HostIdentity, Hosting } from "../../../ports/transport.ts";
import { COIN } from "../../../protocol/amounts.ts";
import { appealBondOf } from "../../../protocol/job/bond.ts";
import { blindKey, guestKey } from "../../../protocol/job/exchange.ts";
import { drawTurnOf, hasRevealed, isAppealable } from "../../../protocol/job/exits.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { seedOf } from "../../../protocol/job/seeds.ts";
import { isFinal } from "../../../protocol/job/state.ts";
import { tokenFor } from "../../../protocol/parcel/locator.ts";
import type { Policy } from "../../../protocol/policy/policy.ts";
import { FAILED_RUN } from "../../../protocol/task/judgement.ts";
import type { WorkerContext } from "../../context.ts";
import { chainDeadline } from "../../shared/chain-deadline.ts";
import { type HostedOnce, hostOnce } from "../../shared/host-once.ts";
import { noteAndReport } from "../../shared/note.ts";
import { takeExit } from "../../shared/take-exit.ts";
import { transact } from "../../shared/transact.ts";
import { withdrawOwed } from "../../shared/withdraw.ts";
import { allowEscrow } from "../../tokens.ts";
import type { Accepted } from "./accept.ts";
import { admitValidators, handOver, seatedReaders, shareReport } from "./admit-validators.ts";
import { deliveredBlobs, type Packed } from "./pack-result.ts";
import { submit } from "./submit.ts";
import { ENDED, TOO_LATE, withinRunWindow } from "./within-run-window.ts";

export interface Delivered {
  readonly job: Job;
  /**
   * Continues to serve a result that was paid for before its requester confirmed that it holds it; resolves when the
   * policy's `keepResults` is over. Absent when the requester holds the result.
   */
  readonly keep?: ((options: Abortable) => Promise<void>) | undefined;
}

/**
 * Hosts and submits the result, serves requester and validators, and claims, until the job is final. Resolves without
 * having submitted, with `TOO_LATE` when the result could not be hosted within the run window, and with `ENDED` when the
 * job was stopped.
 */
export async function deliver(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  {
    accepted,
    packed,
    policy,
    hosting,
  }: { accepted: Accepted; packed: Packed; policy: Policy; hosting: HostedOnce },
  options: Abortable,
): Promise<Delivered | typeof TOO_LATE | typeof ENDED> {
  const { requester } = accepted.bundle;
  await using stack = new AsyncDisposableStack();
  stack.use(hosting);
  const hosted = async () => {
    const live = await hosting.start();
    for (const blob of deliveredBlobs(packed)) await live.add(blob);
    return live;
  };
  if (journal.intent("submit") === undefined) {
    const inTime = await withinRunWindow(context, journal, job, hosted, options);
    if (inTime === TOO_LATE || inTime === ENDED) return inTime;
  }
  const { mask } = accepted.locator;
  const reader = { account: job.terms.requester, keys: requester };
  try {
    await submit(context, journal, { job, packed, mask, requester: reader }, options);
  } catch (error) {
    // Where its requester stopped the job in the block before, it is over.
    if (!isIchainError(error) || error.class !== "refused") throw error;
    if (!isFinal((await context.market.job(job.id, options)).state)) throw error;
    return ENDED;
  }
  for await (const now of context.market.follow(job.id, options)) {
    const live = await hosted();
    const servedUntil = isFinal(now.state) && (await keepUntil(context, journal, { now, policy }, options));
    await react(context, journal, { job: now, accepted, packed, hosting: live, policy }, options);
    if (now.state === "Claimed") await recordWindow(journal, now);
    if (servedUntil === false) continue;
    if (servedUntil === null) return { job: now };
    const kept = stack.move();
    return { job: now, keep: (later) => keepServing(context, kept, servedUntil, later) };
  }
  return impossible("a job ended without a final state");
}

/**
 * The hosting of a job's result, which begins while the task runs, because publishing an address takes seconds; the
 * result is added when it is there. After a restart it is there from the start, because a reader that finds nothing
 * gives up. The bundle is served as well, to drawn validators.
 */
export function hostResult(
  context: WorkerContext,
  {
    job,
    accepted,
    identity,
    packed,
  }: { job: Job; accepted: Accepted; identity: HostIdentity; packed: Packed | undefined },
  options: Abortable,
): HostedOnce {
  const { requester, blob, kept = [] } = accepted.bundle;
  const bundle = [blob, ...kept.map((input) => input.blob)];
  const client = { ...requester, token: tokenFor(identity.endpoint.token, requester.fingerprint) };
  const request = async () => ({
    identity,
    blobs: packed ? [...deliveredBlobs(packed), ...bundle] : bundle,
    readers: [client, ...(await seatedReaders(context, { job, accepted, identity }, options))],
    guestKey: guestKey(accepted.locator.mask),
  });
  return hostOnce(context, "result", request, options);
}

/** The journal's step: when the window ends in which the requester alone can settle. */
const WINDOW = "window";

async function recordWindow(journal: JobJournal, { deadline }: Job): Promise<void> {
  await journal.step(WINDOW, { prepare: () => deadline ?? null, act: (end) => end });
}

/**
 * Until when, Unix seconds, a result is served after its job; null when its requester holds it, as it shows by
 * `appoint`, or by settling within the challenge window, in which only it can settle. Decided once: each restart would
 * prolong it.
 */
function keepUntil(
  { market }: WorkerContext,
  journal: JobJournal,
  { now, policy }: { now: Job; policy: Policy },
  options: Abortable,
): Promise<number | null> {
  return journal.step("keep", {
    prepare: async () => {
      const time = await market.now(options);
      // After a challenge anybody settles, as soon as its validators have passed the result.
      // The intent: a process that was killed there may find the job settled, and has no later turn to end the step.
      const windowEnds = journal.intent<number | null>(WINDOW) ?? Number.NEGATIVE_INFINITY;
      const settledItself = !now.challenged && time <= windowEnds;
      if (now.state !== "Settled" || now.appointed || settledItself) return null;
      return time + policy.keepResults;
    },
    act: (end) => end,
  });
}

async function keepServing(
  { market }: WorkerContext,
  live: AsyncDisposableStack,
  end: number,
  { signal }: Abortable,
): Promise<void> {
  await using _ = live;
  using clock = chainDeadline(end, market, signal);
  await aborted(clock.signal);
  signal.throwIfAborted();
}

async function react(
  context: WorkerContext,
  journal: JobJournal,
  {
    job,
    accepted,
    packed,
    hosting,
    policy,
  }: { job: Job; accepted: Accepted; packed: Packed; hosting: Hosting; policy: Policy },
  options: Abortable,
): Promise<void> {
  const { market } = context;
  if (drawTurnOf(job, await market.now(options)) === "provider") {
    await draw(market, journal, { job, packed }, options);
    return;
  }
  // After a missed `claim` the exit refunds the requester: leave it to the requester.
  if (!isClaimable(job) && (await takeExit(context, journal, job, options))) return;
  if (job.state === "Validating") {
    await admitValidators(context, hosting, { job, accepted, packed }, options);
    await handOver(context, journal, { job, accepted, packed }, options);
    if (!job.committing) {
      await shareReport(context, hosting, job, packed, options);
      // A validator may reveal without the provider's measurement; then the provider has to.
      if (hasRevealed(job) && !job.disclosed) {
        await transact(market, journal, { kind: "disclose", job, own: packed.measurement }, options);
      }
    }
  }
  if (isClaimable(job)) {
    const blindedKey = blindKey(packed.result.sessionKey, accepted.locator.mask);
    await transact(market, journal, { kind: "claim", job, blindedKey }, options);
  }
  // A verdict that the provider's own measurement agrees with is not worth a bond.
  const { mode, threshold } = job.terms;
  const { digest, score } = packed.measurement;
  const short = digest === FAILED_RUN || (mode !== "exam" && score < threshold);
  const agrees = job.verdict === "unmet" && short;
  if (policy.appeal === "always" && isAppealable(job) && !agrees) {
    if (await holdsBond(context, job, options)) await appeal(market, journal, job, options);
    else noteAndReport(context, journal, "not appealed: this account holds too little of the token", "warn");
  }
  if (isFinal(job.state)) await withdrawOwed(context, journal, job, options);
}

/** Whether the provider can claim: after a pass, or at once where no validators were asked for. */
function isClaimable({ state, challenged, terms }: Job): boolean {
  if (state === "Submitted") return terms.validators === 0;
  return state === "Validated" && !challenged;
}

/**
 * Draws validators with the provider's seed: for the draw under way, or, where the requester appointed none in time,
 * for one that the provider starts. A provider that withholds its seed is slashed.
 */
function draw(
  market: Market,
  journal: JobJournal,
  { job, packed }: { job: Job; packed: Packed },
  options: Abortable,
): Promise<Receipt> {
  const number = job.state === "Submitted" ? job.draws + 1 : job.draws;
  const call = () => ({ kind: "draw" as const, job, seed: seedOf(packed.seedSecret, number) });
  return transact(market, journal, call, { ...options, name: `draw-${number}` });
}

/** Whether the account can pay the bond of an appeal; of the coin, which gas takes too, `appeal` finds out. */
async function holdsBond(
  { market, account }: WorkerContext,
  { terms }: Job,
  options: Abortable,
): Promise<boolean> {
  if (terms.token === COIN.address) return true;
  return (await market.tokenFunds(account, terms.token, options)).balance >= appealBondOf(terms);
}

/** Has three drawn validators judge a rejected result again. The daemon and `ichain appeal` share one step. */
export async function appeal(
  market: Market,
  journal: JobJournal,
  job: Job,
  options: Abortable,
): Promise<Receipt> {
  if (journal.intent("appeal") === undefined)
    await allowEscrow(market, job.terms.token, appealBondOf(job.terms), options);
  return transact(market, journal, { kind: "appeal", job }, options);
}
