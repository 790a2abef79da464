import type { Abortable } from "../../../../async/abort.ts";
import { IchainError } from "../../../../errors/error.ts";
import type { MarketReader } from "../../../../ports/market.ts";
import type { Address } from "../../../../protocol/ids.ts";
import { sameAddress } from "../../../../protocol/ids.ts";
import { PANEL } from "../../../../protocol/job/bond.ts";
import type { Offer } from "../../../../protocol/offer.ts";
import type { Audit } from "../../../../protocol/policy/audit.ts";
import {
  byStanding,
  floorPrice,
  freeStake,
  imageOf,
  unfitProvider,
  unfitValidator,
} from "../../../../protocol/policy/match.ts";
import { type ChainFacts, stakesOf } from "../../../../protocol/policy/money.ts";
import {
  type Outline,
  outlineOf,
  postedWindows,
  priceOf,
  refuseOutline,
  refuseOwnWindows,
} from "../../../../protocol/policy/outline.ts";
import { type JobFile, pinImage, type Spec, specOf } from "../../../../protocol/task/spec.ts";
import { chainFacts } from "../../../shared/chain-facts.ts";
import { refuseOwn } from "./refuse-own.ts";

/** Who could do a job, best first; the choice is the person's or `best`. */
export interface Candidates {
  readonly providers: readonly Offer[];
  /** Validators that hold the image of `provider`. */
  validatorsFor(provider: Offer): readonly Offer[];
  /** What the job would pay this provider at least. */
  priceOf(provider: Offer): bigint;
  readonly chain: ChainFacts;
}

/** The parties and the money of a job that is about to be posted. */
export interface Plan {
  readonly spec: Spec;
  readonly provider: Offer;
  readonly validators: readonly Offer[];
  readonly outline: Outline;
  readonly audit: Audit;
}

/** Throws `NO_PROVIDER`, `IMAGE_UNKNOWN`, and what `refuseOwn` does about windows that nobody takes. */
export async function findCandidates(
  market: MarketReader,
  file: JobFile,
  requester: Address,
  { signal }: Abortable,
): Promise<Candidates> {
  const chain = await chainFacts(market, { signal });
  const windows = postedWindows(file, chain);
  refuseOwn(refuseOwnWindows(windows, file.verification.mode, chain, file.resources));
  const offers: Offer[] = [];
  for await (const offer of market.offers({ signal })) {
    if (!sameAddress(offer.account, requester)) offers.push(offer);
  }
  const floor = (offer: Offer) => floorPrice(offer, windows.run);
  const price = (offer: Offer) => priceOf(file, floor(offer), file.validatorFee ?? 0n);
  const free = (offer: Offer) => freeStake(offer, chain.poolStake);
  const providers = offers
    .filter((offer) => unfitProvider(offer, file) === undefined)
    .filter((offer) => file.price === undefined || floor(offer) <= file.price)
    .filter((offer) => free(offer) >= price(offer))
    .sort(byStanding((offer) => offer.ratingAsProvider, floor));
  if (providers.length === 0) throw nobody(offers, file);
  const { validators } = file.verification;
  const stake = (provider: Offer, { feeFloor }: Offer) => {
    const validatorFee = file.validatorFee ?? feeFloor;
    const terms = { price: priceOf(file, floor(provider), validatorFee), validatorFee, validators };
    return stakesOf(terms, chain.poolStake).validatorStake;
  };
  return {
    chain,
    providers,
    priceOf: price,
    validatorsFor: (provider) =>
      offers
        .filter((offer) => !sameAddress(offer.account, provider.account))
        .filter(
          (offer) => unfitValidator(offer, file, imageOf(provider, file.image) ?? file.image) === undefined,
        )
        .filter((offer) => file.validatorFee === undefined || offer.feeFloor <= file.validatorFee)
        .filter((offer) => free(offer) >= stake(provider, offer))
        .sort(
          byStanding(
            (offer) => offer.ratingAsValidator,
            (offer) => offer.feeFloor,
          ),
        ),
  };
}

/**
 * Fixes price and fee: the job file's, or what the chosen parties ask for. Without validators, the fee is
 * what a panel of those `fit` would ask for, should the result be challenged. Throws `NO_VALIDATOR`, and what
 * `refuseOwn` does.
 */
export function makePlan(
  file: JobFile,
  chain: ChainFacts,
  {
    provider,
    validators,
    fit,
    audit,
  }: Pick<Plan, "provider" | "validators" | "audit"> & { fit: readonly Offer[] },
): Plan {
  const image = pinImage(file.image, (name) => imageOf(provider, name));
  if (image === undefined || validators.length < seatsOf(file, audit)) throw tooFew(file, validators.length);
  const spec = specOf(file, image);
  const { length } = validators;
  const validatorFee = file.validatorFee ?? feeOf(length > 0 ? validators : fit, length || PANEL);
  const floor = floorPrice(provider, postedWindows(file, chain).run);
  const outline = outlineOf(file, { floor, validatorFee, validators: length }, chain);
  refuseOwn(refuseOutline(outline, chain, spec));
  // Fees, and a price that follows from them, may come out higher than each offer alone would have had it.
  const holds = (offer: Offer, stake: bigint) => freeStake(offer, chain.poolStake) >= stake;
  if (!holds(provider, outline.providerStake)) throw stakeless(provider);
  const able = validators.filter((one) => holds(one, outline.validatorStake));
  if (able.length < length) throw tooFew(file, able.length);
  return {
    spec: { ...spec, verification: { ...spec.verification, validators: length } },
    provider,
    validators,
    outline,
    audit,
  };
}

/** Validators that the job is posted with. */
export function seatsOf({ verification }: JobFile, audit: Audit): number {
  return audit.validated ? verification.validators : 0;
}

/** The least fee for which `seats` of these come, or all where they are fewer. */
function feeOf(validators: readonly Offer[], seats: number): bigint {
  const floors = validators.map(({ feeFloor }) => feeFloor).toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return floors[Math.min(seats, floors.length) - 1] ?? 0n;
}

function nobody(offers: readonly Offer[], file: JobFile): IchainError {
  const providers = offers.filter((offer) => offer.provider);
  const held = providers.some((offer) => imageOf(offer, file.image) !== undefined);
  if (providers.length > 0 && typeof file.image === "string" && !held) {
    return new IchainError(`No provider holds the image "${file.image}".`, {
      code: "IMAGE_UNKNOWN",
      class: "usage",
      hint: "`ichain providers` lists the images that are held; put one of their names into job.yaml.",
      details: {
        images: [...new Set(providers.flatMap((one) => one.details.images.map(({ name }) => name)))],
      },
    });
  }
  const why = providers
    .slice(0, 3)
    .map(
      (one) => `${one.account} ${unfitProvider(one, file) ?? "asks for more, or has too little stake left"}`,
    );
  return new IchainError("No provider on this network fits the job.", {
    code: "NO_PROVIDER",
    class: "refused",
    hint:
      why.length > 0
        ? `For one: ${why.join("; ")}.`
        : "Nobody offers anything yet: try later, or run `ichain provide`.",
    retryable: true,
  });
}

function stakeless({ account }: Offer): IchainError {
  return new IchainError(`The provider ${account} has too little stake left for this job.`, {
    code: "NO_PROVIDER",
    class: "refused",
    hint: "Choose another provider, or lower price or validatorFee in job.yaml.",
    retryable: true,
  });
}

function tooFew(file: JobFile, found: number): IchainError {
  return new IchainError(`The job asks for ${file.verification.validators} validators; ${found} would fit.`, {
    code: "NO_VALIDATOR",
    class: "refused",
    hint: "Ask for fewer under verification.validators, raise validatorFee, or choose another provider.",
    retryable: true,
  });
}
