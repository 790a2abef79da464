import type { Abortable } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { SandboxReport } from "../../../ports/sandbox.ts";
import { maskHash } from "../../../protocol/job/exchange.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { secretHash } from "../../../protocol/job/seeds.ts";
import type { JobState } from "../../../protocol/job/state.ts";
import type { OfferDetails } from "../../../protocol/offer.ts";
import { type BundleLocator, decodeLocator } from "../../../protocol/parcel/locator.ts";
import { freeStake } from "../../../protocol/policy/match.ts";
import type { ChainFacts } from "../../../protocol/policy/money.ts";
import {
  type Policy,
  refuseMaintenance,
  refuseRecord,
  refuseSpec,
  refuseTerms,
  refuseWork,
} from "../../../protocol/policy/policy.ts";
import { type Refusal, refuse } from "../../../protocol/policy/refusal.ts";
import { fetchSeconds } from "../../../protocol/policy/windows.ts";
import type { WorkerContext } from "../../context.ts";
import { type Place, type Share, type Slots, waitText } from "../../daemon/slots.ts";
import { chainFacts } from "../../shared/chain-facts.ts";
import { transact } from "../../shared/transact.ts";
import { awaitHost, type Fetched } from "../../task/await-host.ts";
import { ensureImage } from "../../task/ensure-image.ts";
import { type Bundle, fetchBundle } from "../../task/fetch-bundle.ts";
import type { DiskBudget } from "../../task/kept/disk-budget.ts";
import { holdKept } from "../../task/kept/kept-inputs.ts";
import { releaseGpus, reserveGpus } from "../../task/reserve-gpus.ts";
import { whileUseful } from "./while-useful.ts";

/** A provider's policy and its machine, as they are now: `ichain reload` and `ichain drain` change them. */
export interface ProviderSetup {
  readonly policy: Policy;
  readonly machine: OfferDetails;
  readonly report: SandboxReport;
  /** True once no more jobs are to be accepted. */
  readonly draining?: boolean;
  /** Absent where the home may hold whatever the disk does. */
  readonly disk?: DiskBudget | undefined;
  /** Reads the chain of this home's gossip peer from its store; absent where it has none to hand to a pool. */
  readonly readChain?: ((path: string) => Promise<readonly string[]>) | undefined;
  /** For jobs whose bundle is fetched or whose task runs. */
  readonly slots: Slots;
  /** For telling requesters of declined jobs. */
  readonly declines: Slots;
}

export interface Accepted {
  readonly locator: BundleLocator;
  readonly bundle: Bundle;
  /** UUIDs of the GPUs that are reserved for the job until `produce` is over. */
  readonly gpus: readonly string[];
}

/**
 * Checks a posted job and accepts it, or resolves with the reason why not. Fetches the bundle before `accept`, so that
 * a job with a bad spec or without a bundle costs neither gas nor stake. Its place, which a packed job needs no more, then
 * holds what the task may use of the machine.
 */
export async function accept(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  { setup, place }: { readonly setup: ProviderSetup; readonly place: Place | undefined },
  options: Abortable,
): Promise<Accepted | Refusal> {
  const { policy, machine } = setup;
  const acceptedBefore = journal.intent("accept") !== undefined;
  if (setup.draining && !acceptedBefore) return refuseDraining();
  const chain = await chainFacts(context.market, options);
  const refused = acceptedBefore ? undefined : await refuseNow(context, job, { policy, chain }, options);
  if (refused) return refused;
  const locator = await journal.step("locator", {
    prepare: () => job.sealedBundle,
    act: async (sealed) => decodeLocator(await context.keyring.unseal(sealed), "bundle"),
  });
  if (secretHash(maskHash(locator.mask), job.seedTip) !== job.terms.secretHash) {
    return refuse("SECRETS_MISMATCH", "its mask or its seeds are not those in the terms");
  }
  // A parcel and what is in it; then the disk of the run, and the result packed of it.
  const noRoom = acceptedBefore ? undefined : await setup.disk?.refuse(2 * locator.bundleBytes);
  if (noRoom) return noRoom;
  // Bound the fetch: a host that sends its bundle slowly would hold a slot until `acceptBy`, which may be days away.
  using posted = acceptedBefore ? undefined : await whileFetching(context, job, locator, options);
  let bundle: Bundle;
  try {
    const bounded = posted ? { signal: posted.signal } : options;
    bundle = await fetchBundle(context, journal, { job, locator, maxBytes: policy.maxBundle }, bounded);
  } catch (error) {
    if (posted && (posted.left || posted.expired) && !options.signal.aborted) return noBundle();
    throw error;
  }
  const work = { spec: bundle.spec, bundleBytes: locator.bundleBytes };
  const unfit =
    refuseSpec(policy, bundle.spec, machine) ??
    disagreement(job, bundle) ??
    refuseWork(policy, job.terms, work, chain.pace);
  if (unfit && !acceptedBefore) return unfit;
  const full = acceptedBefore ? undefined : await setup.disk?.refuse(2 * bundle.spec.resources.disk);
  if (full) return full;
  // The account posted the bundle's root; the certificate that signed the bundle must name that account.
  await context.keyring.check({ account: job.terms.requester, keys: bundle.requester });
  const unusable = acceptedBefore
    ? undefined
    : await pullFirst(context, journal, job, { bundle, policy }, options);
  if (unusable) return unusable;
  const busy = await holdShare(
    context,
    { job, place, share: bundle.spec.resources, acceptedBefore },
    options,
  );
  if (busy) return busy;
  if (setup.draining && !acceptedBefore) return refuseDraining();
  // Check again: fetching and waiting may have taken hours.
  const closed = acceptedBefore
    ? undefined
    : refuseMaintenance(policy, job.terms, "provider", await context.market.now(options));
  if (closed) return closed;
  // Reserve GPUs before `accept`: a job whose GPUs are missing or busy then costs nothing. A packed job needs none.
  const needed = journal.outcome("pack") === undefined ? bundle.spec.resources : { gpus: 0 };
  const gpus = await reserveGpus(context, journal, needed, options);
  try {
    await transact(context.market, journal, { kind: "accept", job }, options);
  } catch (error) {
    releaseGpus(context, journal);
    throw error;
  }
  await holdKept(context, job, bundle.kept, policy);
  return { locator, bundle, gpus };
}

/**
 * Waits until the host of a half-fetched bundle answers, before the job takes a slot again; resolves with the refusal
 * of a job whose host does not answer in time.
 */
export async function awaitBundleHost(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  options: Abortable,
): Promise<Refusal | undefined> {
  const locator = journal.outcome<BundleLocator>("locator");
  if (locator === undefined) return undefined;
  using posted = await whileFetching(context, job, locator, options);
  const bounded = { signal: posted.signal, withinMs: Number.POSITIVE_INFINITY };
  const half: Fetched = { step: "bundle", endpoint: locator.bundle, root: job.terms.bundleRoot };
  try {
    await awaitHost(context, journal, half, bounded);
    return undefined;
  } catch (error) {
    if ((posted.left || posted.expired) && !options.signal.aborted) return noBundle();
    throw error;
  }
}

/** While the job can be accepted, for twice the time that its bundle should take. */
async function whileFetching(
  { market }: WorkerContext,
  job: Job,
  { bundleBytes }: BundleLocator,
  options: Abortable,
) {
  const deadline = Math.min(job.terms.acceptBy, (await market.now(options)) + 2 * fetchSeconds(bundleBytes));
  const isUseful = (state: JobState) => state === "Posted";
  return whileUseful(market, { job, isUseful, deadline }, options.signal);
}

/** Pulls the image of a registry before `accept`: one that does not come costs nothing. */
async function pullFirst(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  { bundle: { spec, input }, policy }: { bundle: Bundle; policy: Policy },
  options: Abortable,
): Promise<Refusal | undefined> {
  if (typeof spec.image === "string" || !("oci" in spec.image)) return undefined;
  const isUseful = (state: JobState) => state === "Posted";
  const deadline = job.terms.acceptBy;
  using posted = await whileUseful(context.market, { job, isUseful, deadline }, options.signal);
  try {
    await ensureImage(context, journal, { spec, input, policy }, { signal: posted.signal });
    return undefined;
  } catch (error) {
    if ((posted.left || posted.expired) && !options.signal.aborted)
      return refuse("NOT_POSTED", "its image did not come while it could be accepted");
    throw error;
  }
}

/** Waits for the machine while the job can be accepted; one that was accepted does not wait. */
async function holdShare(
  { market, reporter }: WorkerContext,
  { job, place, share, acceptedBefore }: Held,
  options: Abortable,
): Promise<Refusal | undefined> {
  if (place === undefined) return undefined;
  if (acceptedBefore) {
    await place.hold(share, { ...options, atRisk: true });
    return undefined;
  }
  const isUseful = (state: JobState) => state === "Posted";
  using posted = await whileUseful(market, { job, isUseful, deadline: job.terms.acceptBy }, options.signal);
  const onWait = () => reporter.emit({ kind: "info", text: waitText(share) });
  try {
    await place.hold(share, { signal: posted.signal, onWait });
    return undefined;
  } catch (error) {
    if ((posted.left || posted.expired) && !options.signal.aborted)
      return refuse("NOT_POSTED", "other jobs used the machine while it could be accepted");
    throw error;
  }
}

interface Held {
  readonly job: Job;
  readonly place: Place | undefined;
  readonly share: Share;
  readonly acceptedBefore: boolean;
}

export function refuseDraining(): Refusal {
  return refuse("DRAINING", "it takes no more jobs before it stops");
}

function noBundle(): Refusal {
  return refuse("NOT_POSTED", "its bundle did not come while it could be accepted");
}

/** Why a job is not accepted, as far as the chain shows; checked before anything is fetched. */
async function refuseNow(
  { market, account }: WorkerContext,
  { state, terms }: Job,
  { policy, chain }: { policy: Policy; chain: ChainFacts },
  options: Abortable,
): Promise<Refusal | undefined> {
  if (state !== "Posted") return refuse("NOT_POSTED", `it is ${state}`);
  const refused = refuseTerms(policy, terms, "provider", await market.now(options), chain);
  if (refused) return refused;
  // Reading a requester's jobs takes longer the more there are: only for a policy that asks.
  const { requester } = terms;
  const asks = policy.requesters.maxFruitless < 1;
  const fruitless = asks ? refuseRecord(policy, await market.jobs({ requester }, options)) : undefined;
  if (fruitless) return fruitless;
  const offer = await market.offer(account, options);
  const free = offer === undefined ? 0n : freeStake(offer, await market.poolStake(options));
  return free < terms.providerStake
    ? refuse("STAKE_TOO_LITTLE", "it asks for more stake than is free here")
    : undefined;
}

/** The terms repeat parts of the spec for the contract; both must agree. */
function disagreement({ terms }: Job, { spec }: Bundle): Refusal | undefined {
  const { mode, validators } = spec.verification;
  const same =
    terms.mode === mode && terms.validators === validators && (mode === "exam") === (spec.exam !== undefined);
  return same ? undefined : refuse("TERMS_MISMATCH", "its terms and its spec disagree");
}

export function isRefusal(answer: Accepted | Refusal): answer is Refusal {
  return "code" in answer;
}

/** The refusal that an error of the requester's making amounts to; undefined for other errors. */
export function asRefusal(error: unknown): Refusal | undefined {
  if (!isIchainError(error) || (error.class !== "untrusted" && error.class !== "refused")) return undefined;
  return { code: error.code, reason: error.message };
}
