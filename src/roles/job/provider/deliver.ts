import { type Abortable, aborted } from "../../../async/abort.ts";
import { impossible } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Hosting } from "../../../ports/transport.ts";
import { blindKey } from "../../../protocol/job/exchange.ts";
import { drawTurnOf, hasRevealed, isAppealable } from "../../../protocol/job/exits.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { isFinal } from "../../../protocol/job/state.ts";
import { tokenFor } from "../../../protocol/parcel/locator.ts";
import type { Policy } from "../../../protocol/policy/policy.ts";
import type { WorkerContext } from "../../context.ts";
import { chainDeadline } from "../../shared/chain-deadline.ts";
import { hostOnce } from "../../shared/host-once.ts";
import { leave } from "../../shared/leave.ts";
import { transact } from "../../shared/transact.ts";
import { withdrawOwed } from "../../shared/withdraw.ts";
import type { Accepted } from "./accept.ts";
import { admitValidators, handOver, readReport, seatedReaders } from "./admit-validators.ts";
import { appeal } from "./appeal.ts";
import { draw } from "./draw.ts";
import { inTime, TOO_LATE } from "./in-time.ts";
import type { Packed } from "./pack-result.ts";
import { submit } from "./submit.ts";

export interface Delivered {
  readonly job: Job;
  /**
   * Goes on serving a result that was paid for before its requester said that it holds it; resolves when
   * it has been served for long enough. Absent when nobody needs it any more.
   */
  readonly keep?: ((options: Abortable) => Promise<void>) | undefined;
}

/**
 * Hosts and submits, serves requester and validators, claims: until the job is final. `TOO_LATE` when the result
 * could not be hosted within the run window: nothing was submitted then.
 */
export async function deliver(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  { taken, packed, policy }: { taken: Accepted; packed: Packed; policy: Policy },
  options: Abortable,
): Promise<Delivered | typeof TOO_LATE> {
  const { requester, blob } = taken.bundle;
  await using stack = new AsyncDisposableStack();
  const guest = { ...requester, token: tokenFor(packed.identity.endpoint.token, requester.fingerprint) };
  const request = async () => ({
    identity: packed.identity,
    blobs: [packed.result.blob, packed.report.blob, blob],
    readers: [guest, ...(await seatedReaders(context, { job, taken, packed }, options))],
  });
  const hosting = stack.use(hostOnce(context, "result", request, options));
  if (journal.intent("submit") === undefined) {
    const hosted = await inTime(context, journal, job, () => hosting.start(), options);
    if (hosted === TOO_LATE) return TOO_LATE;
  }
  const { mask } = taken.locator;
  const reader = { account: job.terms.requester, keys: requester };
  await submit(context, journal, { job, packed, mask, requester: reader }, options);
  let claimed: Job | undefined;
  for await (const now of context.market.follow(job.id, options)) {
    const live = await hosting.start();
    const needed =
      isFinal(now.state) && (await keepUntil(context, journal, { now, claimed, policy }, options));
    await react(context, journal, { job: now, taken, packed, hosting: live, policy }, options);
    if (now.state === "Claimed") claimed = now;
    if (needed === false) continue;
    if (needed === null) return { job: now };
    const kept = stack.move();
    return { job: now, keep: (later) => keepServing(context, kept, needed, later) };
  }
  return impossible("a job ended without a final state");
}

/**
 * Until when, Unix seconds, a result is served after its job; null when its requester has said that it holds it: by
 * `appoint`, or by settling within the window that is its alone. Decided once, or each restart would prolong it.
 */
function keepUntil(
  { market }: WorkerContext,
  journal: JobJournal,
  { now, claimed, policy }: { now: Job; claimed: Job | undefined; policy: Policy },
  options: Abortable,
): Promise<number | null> {
  return journal.step("keep", {
    prepare: async () => {
      const time = await market.now(options);
      const settledItself = claimed?.deadline !== undefined && time <= claimed.deadline;
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
    taken,
    packed,
    hosting,
    policy,
  }: { job: Job; taken: Accepted; packed: Packed; hosting: Hosting; policy: Policy },
  options: Abortable,
): Promise<void> {
  const { market } = context;
  if (drawTurnOf(job, await market.now(options)) === "provider") {
    await draw(market, journal, { job, packed }, options);
    return;
  }
  // After a missed `claim` the way out is the requester's refund: not ours to hasten.
  if (!isClaimable(job) && (await leave(context, journal, job, options))) return;
  if (job.state === "Validating") {
    await admitValidators(context, hosting, { job, taken, packed }, options);
    await handOver(context, journal, { job, taken, packed }, options);
    if (!job.committing) {
      await readReport(context, hosting, job, packed, options);
      // A validator that revealed without ours leaves it to us to show what we had committed to.
      if (hasRevealed(job) && !job.disclosed) {
        await transact(market, journal, { kind: "disclose", job, own: packed.measurement }, options);
      }
    }
  }
  if (isClaimable(job)) {
    const blindedKey = blindKey(packed.result.sessionKey, taken.locator.mask);
    await transact(market, journal, { kind: "claim", job, blindedKey }, options);
  }
  if (policy.appeal === "always" && isAppealable(job)) {
    await appeal(market, journal, job, options);
  }
  if (isFinal(job.state)) await withdrawOwed(context, journal, job, options);
}

/** The key is the provider's to show: after a pass, or at once where no validators were asked for. */
function isClaimable({ state, challenged, terms }: Job): boolean {
  if (state === "Submitted") return terms.validators === 0;
  return state === "Validated" && !challenged;
}
