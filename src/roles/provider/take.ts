import { isIchainError } from "../../errors.ts";
import type { JobJournal } from "../../ports/journal.ts";
import type { SandboxReport } from "../../ports/sandbox.ts";
import { maskHash } from "../../protocol/exchange.ts";
import type { Job } from "../../protocol/job.ts";
import { type BundleLocator, decodeLocator } from "../../protocol/locator.ts";
import type { OfferDetails } from "../../protocol/offer.ts";
import { type Policy, refuseSpec, refuseTerms, refuseWork } from "../../protocol/policy.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { secretHash } from "../../protocol/seeds.ts";
import type { Waits, WorkerContext } from "../context.ts";
import { chainFacts } from "../shared/chain-facts.ts";
import { type Bundle, fetchBundle } from "../shared/fetch-bundle.ts";
import { lendGpus, takeBackGpus } from "../shared/lend-gpus.ts";
import { transact } from "../shared/transact.ts";

/** A provider's standing orders and what it runs them on. */
export interface Workshop {
  readonly policy: Policy;
  readonly machine: OfferDetails;
  readonly report: SandboxReport;
}

export interface Taken {
  readonly locator: BundleLocator;
  readonly bundle: Bundle;
  /** UUIDs, its own until `produce` is over. */
  readonly gpus: readonly string[];
}

/**
 * Looks at a posted job and accepts it, or says why not. The bundle is fetched before `accept`, so that
 * a job with a bad spec or a missing bundle costs nothing but the look.
 */
export async function take(
  context: WorkerContext,
  journal: JobJournal,
  job: Job,
  { policy, machine }: Workshop,
  waits: Waits,
): Promise<Taken | Refusal> {
  const chain = await chainFacts(context.market, waits);
  const refused = refuseTerms(policy, job.terms, "provider", await context.market.now(waits), chain);
  if (refused && job.state === "Posted") return refused;
  const locator = await journal.step("locator", {
    prepare: () => job.sealedBundle,
    act: async (sealed) => decodeLocator(await context.keyring.unseal(sealed), "bundle"),
  });
  if (secretHash(maskHash(locator.mask), job.seedTip) !== job.terms.secretHash) {
    return { code: "SECRETS_MISMATCH", reason: "its mask or its seeds are not those in the terms" };
  }
  const bundle = await fetchBundle(context, journal, { job, locator, maxBytes: policy.maxBundle }, waits);
  const work = { spec: bundle.spec, bundleBytes: locator.bundleBytes };
  const unfit =
    refuseSpec(policy, bundle.spec, machine) ??
    disagreement(job, bundle) ??
    refuseWork(policy, job.terms, work, chain.pace);
  if (unfit && job.state === "Posted") return unfit;
  // The account posted the bundle's root, and who signed the bundle must name the account.
  await context.keyring.check({ account: job.terms.requester, keys: bundle.requester });
  // Before it is accepted: a job whose GPUs are not there, or not free, must cost nobody anything.
  const gpus = await lendGpus(context, journal, bundle.spec.resources.gpus, waits);
  try {
    await transact(context.market, journal, { kind: "accept", job }, waits);
  } catch (error) {
    takeBackGpus(context, journal);
    throw error;
  }
  return { locator, bundle, gpus };
}

/** The terms repeat parts of the spec for the contract's sake: they must say the same. */
function disagreement({ terms }: Job, { spec }: Bundle): Refusal | undefined {
  const same = terms.mode === spec.verification.mode && terms.validators === spec.verification.validators;
  return same ? undefined : { code: "TERMS_MISMATCH", reason: "its terms and its spec disagree" };
}

export function isRefusal(taken: Taken | Refusal): taken is Refusal {
  return "code" in taken;
}

/** Errors of the other side's making: the job is left alone, the daemon goes on. */
export function asRefusal(error: unknown): Refusal | undefined {
  if (!isIchainError(error) || (error.class !== "untrusted" && error.class !== "refused")) return undefined;
  return { code: error.code, reason: error.message };
}
