import { IchainError } from "../../errors.ts";
import type { MarketReader } from "../../ports/market.ts";
import type { Audit } from "../../protocol/audit.ts";
import { PANEL } from "../../protocol/bond.ts";
import type { Address } from "../../protocol/ids.ts";
import { sameAddress } from "../../protocol/ids.ts";
import { byStanding, floorPrice, imageOf, unfitProvider, unfitValidator } from "../../protocol/match.ts";
import type { Offer } from "../../protocol/offer.ts";
import { type JobFile, pinImage, type Spec, specOf } from "../../protocol/spec.ts";
import type { Waits } from "../context.ts";

/** Who could do a job, best first; the choice is the person's or `best`. */
export interface Candidates {
  readonly providers: readonly Offer[];
  /** Validators that hold the image of `provider`. */
  validatorsFor(provider: Offer): readonly Offer[];
}

/** The parties and the money of a job that is about to be posted. */
export interface Plan {
  readonly spec: Spec;
  readonly provider: Offer;
  readonly validators: readonly Offer[];
  readonly price: bigint;
  readonly validatorFee: bigint;
  readonly audit: Audit;
}

export async function findCandidates(
  market: MarketReader,
  file: JobFile,
  requester: Address,
  { signal }: Waits,
): Promise<Candidates> {
  const offers: Offer[] = [];
  for await (const offer of market.offers({ signal })) {
    if (!sameAddress(offer.account, requester)) offers.push(offer);
  }
  const seconds = file.resources.time;
  const providers = offers
    .filter((offer) => unfitProvider(offer, file) === undefined)
    .filter((offer) => file.price === undefined || floorPrice(offer, seconds) <= file.price)
    .sort(
      byStanding(
        (offer) => offer.ratingAsProvider,
        (offer) => floorPrice(offer, seconds),
      ),
    );
  if (providers.length === 0) throw nobody(offers, file);
  return {
    providers,
    validatorsFor: (provider) =>
      offers
        .filter((offer) => !sameAddress(offer.account, provider.account))
        .filter(
          (offer) => unfitValidator(offer, file, imageOf(provider, file.image) ?? file.image) === undefined,
        )
        .filter((offer) => file.validatorFee === undefined || offer.feeFloor <= file.validatorFee)
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
 * what a panel of those `fit` would ask for, should the result be challenged.
 */
export function makePlan(
  file: JobFile,
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
  return {
    spec: { ...spec, verification: { ...spec.verification, validators: length } },
    provider,
    validators,
    price: file.price ?? floorPrice(provider, file.resources.time),
    validatorFee: file.validatorFee ?? feeOf(length > 0 ? validators : fit, length || PANEL),
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
    .map((one) => `${one.account} ${unfitProvider(one, file) ?? "asks for more"}`);
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

function tooFew(file: JobFile, found: number): IchainError {
  return new IchainError(`The job asks for ${file.verification.validators} validators; ${found} would fit.`, {
    code: "NO_VALIDATOR",
    class: "refused",
    hint: "Ask for fewer under verification.validators, raise validatorFee, or choose another provider.",
    retryable: true,
  });
}
