import { randomInt } from "node:crypto";
import type { Abortable } from "../../../../async/abort.ts";
import { IchainError, impossible } from "../../../../errors/error.ts";
import type { MarketReader } from "../../../../ports/market.ts";
import { coinText, type TokenInfo } from "../../../../protocol/amounts.ts";
import { type Address, sameAddress } from "../../../../protocol/ids.ts";
import { PANEL } from "../../../../protocol/job/bond.ts";
import { unmetGpus } from "../../../../protocol/machine/gpus.ts";
import { neutraliseLine } from "../../../../protocol/neutralise.ts";
import type { Offer } from "../../../../protocol/offer.ts";
import { type Audit, type AuditPolicy, decideAudit } from "../../../../protocol/policy/audit.ts";
import {
  bySeatStanding,
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
import type { Pay } from "../../../../protocol/policy/pay.ts";
import { floorPrice, inCoin, type Tender, tenderOf } from "../../../../protocol/policy/tender.ts";
import { seatStandingOf } from "../../../../protocol/record.ts";
import { type JobFile, pinImage, type Spec, specOf } from "../../../../protocol/task/spec.ts";
import { chainFacts } from "../../../shared/chain-facts.ts";
import { readPay } from "../../../tokens.ts";
import { type RankedRecord, rank } from "./rank.ts";
import { refuseOwn } from "./refuse-own.ts";

/** The offers that fit a job, best first. */
export interface Candidates {
  /** Best first; never empty. */
  readonly providers: readonly Offer[];
  /** The same with what decided their order. */
  readonly ranked: readonly RankedRecord[];
  /** The other providers, and why each cannot have the job, for people. */
  readonly unfit: readonly { readonly offer: Offer; readonly why: string }[];
  /** Validators that hold the image of `provider`, best first. */
  validatorsFor(provider: Offer): readonly Offer[];
  /** What the job would pay this provider at least. */
  priceOf(provider: Offer): bigint;
  /** What it would pay this validator at least. */
  feeOf(validator: Offer): bigint;
  /** In parts of `STANDING_UNIT`. */
  seatStanding(validator: Offer): bigint;
  readonly pay: Pay;
  readonly chain: ChainFacts;
}

/** The parties and the money of a job that is about to be posted. */
export interface Plan {
  readonly spec: Spec;
  readonly provider: Offer;
  readonly validators: readonly Offer[];
  readonly outline: Outline;
  /** That of the outline. */
  readonly token: TokenInfo;
  readonly audit: Audit;
}

/**
 * Finds the providers whose offers fit the job, and the validators for each.
 * @throws NO_PROVIDER
 * @throws GPU_NOT_OFFERED no provider has the GPUs
 * @throws IMAGE_UNKNOWN no provider holds the image
 * @throws WINDOW_TOO_SHORT
 * @throws WINDOW_TOO_LONG
 * @throws TOKEN_UNUSABLE
 */
export async function findCandidates(
  market: MarketReader,
  file: JobFile,
  requester: Address,
  { signal }: Abortable,
): Promise<Candidates> {
  const chain = await chainFacts(market, { signal });
  const pay = await readPay(market, file, { signal });
  const windows = postedWindows(file, chain);
  refuseOwn(refuseOwnWindows(windows, file.verification.mode, chain, file.resources));
  const offers: Offer[] = [];
  for await (const offer of market.offers({ signal })) {
    if (!sameAddress(offer.account, requester)) offers.push(offer);
  }
  const tenders = new Map(offers.map((offer) => [offer, tenderOf(offer, pay.token)]));
  const tender = (offer: Offer) =>
    tenders.get(offer) ?? impossible("an offer was chosen that takes no such pay");
  const floor = (offer: Offer) => floorPrice(tender(offer), windows.run);
  const price = (offer: Offer) => priceOf(pay, floor(offer), pay.validatorFee ?? 0n);
  const fee = (offer: Offer) => pay.validatorFee ?? tender(offer).validationFee;
  const seatStanding = (offer: Offer) =>
    seatStandingOf(offer.ratingAsValidator, {
      fee: inCoin(fee(offer), tender(offer)),
      gasPrice: chain.gasPrice,
    });
  const free = (offer: Offer) => freeStake(offer, chain.poolStake);
  const whyNot = (offer: Offer): string | undefined => {
    const lacks = unfitProvider(offer, file) ?? unfitTender(tenders.get(offer), pay);
    if (lacks !== undefined) return lacks;
    if (pay.price !== undefined && floor(offer) > pay.price) return "asks for more than the job pays";
    return free(offer) < inCoin(price(offer), tender(offer)) ? "has too little stake left" : undefined;
  };
  const asked = offers.filter((offer) => offer.provider).map((offer) => ({ offer, why: whyNot(offer) }));
  const unfit = asked.flatMap(({ offer, why }) => (why === undefined ? [] : [{ offer, why }]));
  const fit = asked.flatMap(({ offer, why }) => (why === undefined ? [offer] : []));
  if (fit.length === 0) throw noProvider(unfit, file);
  const wei = (offer: Offer) => inCoin(price(offer), tender(offer));
  const ranked = await rank(market, fit, { requester, priceOf: price, wei }, { signal });
  const providers = ranked.map(({ offer }) => offer);
  const { validators } = file.verification;
  const stake = (provider: Offer, validator: Offer) => {
    const validatorFee = fee(validator);
    const terms = { price: priceOf(pay, floor(provider), validatorFee), validatorFee, validators };
    return stakesOf(terms, chain.poolStake, tender(provider)).validatorStake;
  };
  return {
    chain,
    pay,
    providers,
    ranked,
    unfit,
    priceOf: price,
    feeOf: fee,
    seatStanding,
    validatorsFor: (provider) =>
      offers
        .filter((offer) => !sameAddress(offer.account, provider.account))
        .filter(
          (offer) => unfitValidator(offer, file, imageOf(provider, file.image) ?? file.image) === undefined,
        )
        .filter((offer) => tenders.get(offer) !== undefined)
        .filter((offer) => pay.validatorFee === undefined || tender(offer).validationFee <= pay.validatorFee)
        .filter((offer) => free(offer) >= stake(provider, offer))
        .sort(bySeatStanding(seatStanding, (offer) => tender(offer).validationFee)),
  };
}

/**
 * Fixes price and fee: job.yaml's, or what the chosen parties ask for. Without validators the fee is what a panel of
 * `fit` would ask for, in case the result is challenged.
 * @throws NO_PROVIDER
 * @throws NO_VALIDATOR
 * @throws the code of the refusal that a usual policy would give (`refuseOwn`)
 */
export function makePlan(
  file: JobFile,
  { chain, pay }: Pick<Candidates, "chain" | "pay">,
  {
    provider,
    validators,
    fit,
    audit,
  }: Pick<Plan, "provider" | "validators" | "audit"> & { fit: readonly Offer[] },
): Plan {
  const image = pinImage(file.image, (name) => imageOf(provider, name));
  if (image === undefined || validators.length < seatsOf(file, audit))
    throw tooFewValidators(file, validators.length);
  const spec = specOf(file, image);
  const { length } = validators;
  const validatorFee = pay.validatorFee ?? feeOf(length > 0 ? validators : fit, length || PANEL, pay.token);
  const tender = tenderOf(provider, pay.token) ?? impossible("a provider was chosen that takes no such pay");
  const outline = outlineOf(file, pay, { tender, validatorFee, validators: length }, chain);
  refuseOwn(refuseOutline(outline, tender, chain, spec));
  // Check stakes again: the fee, and a price that follows from it, may be higher than each offer's own.
  const holds = (offer: Offer, stake: bigint) => freeStake(offer, chain.poolStake) >= stake;
  if (!holds(provider, outline.providerStake)) throw tooLittleStake(provider);
  const able = validators.filter((one) => holds(one, outline.validatorStake));
  if (able.length < length) throw tooFewValidators(file, able.length);
  return {
    spec: { ...spec, verification: { ...spec.verification, validators: length } },
    provider,
    validators,
    outline,
    token: pay.token,
    audit,
  };
}

/** Number of validators that the job is posted with. */
export function seatsOf({ verification }: JobFile, audit: Audit): number {
  return audit.validated || verification.mode === "exam" ? verification.validators : 0;
}

/** The lowest fee that `seats` of these validators accept, or all where they are fewer. */
function feeOf(validators: readonly Offer[], seats: number, token: TokenInfo): bigint {
  const fees = validators.map((offer) => tenderOf(offer, token)?.validationFee ?? 0n);
  const floors = fees.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return floors[Math.min(seats, floors.length) - 1] ?? 0n;
}

/** Why an offer with this tender is not paid so, for people; undefined when it is. */
function unfitTender(tender: Tender | undefined, { token, worth }: Pay): string | undefined {
  if (tender === undefined) return `takes no ${token.symbol}`;
  if (worth === undefined || tender.worth >= worth) return undefined;
  return `counts one ${token.symbol} as ${coinText(tender.worth)} coin, less than pay.worth`;
}

function noProvider(unfit: Candidates["unfit"], file: JobFile): IchainError {
  const providers = unfit.map(({ offer }) => offer);
  const held = providers.some((offer) => imageOf(offer, file.image) !== undefined);
  const unmet = unmetByAll(providers, file);
  if (unmet !== undefined) return noSuchGpu(unmet, providers);
  if (providers.length > 0 && typeof file.image === "string" && !held) {
    return new IchainError("IMAGE_UNKNOWN", `No provider holds the image "${file.image}".`, {
      class: "usage",
      hint: "Name an image from `ichain providers` in job.yaml.",
      details: {
        images: [...new Set(providers.flatMap((one) => one.details.images.map(({ name }) => name)))],
      },
    });
  }
  const why = unfit.slice(0, 3).map(({ offer, why }) => `${offer.account} ${why}`);
  return new IchainError("NO_PROVIDER", "No provider on this network fits the job.", {
    hint:
      why.length > 0
        ? `Some reasons: ${why.join("; ")}.`
        : "There are no offers yet: try later, or run `ichain provide`.",
  });
}

/** What of the GPUs that a job asks for no provider has: by the offer that comes closest. Undefined where one has it all. */
function unmetByAll(providers: readonly Offer[], { resources }: JobFile): string | undefined {
  const unmet = providers.map(({ details }) => unmetGpus(details.gpus, resources));
  if (unmet.includes(undefined)) return undefined;
  return unmet.reduce((closest, one) => (one!.met > (closest?.met ?? -1) ? one : closest), undefined)?.text;
}

function noSuchGpu(text: string, providers: readonly Offer[]): IchainError {
  const offered = providers.flatMap(({ details }) => details.gpus.map(({ model }) => neutraliseLine(model)));
  const models = [...new Set(offered)].slice(0, 12);
  return new IchainError("GPU_NOT_OFFERED", `No provider has ${text}.`, {
    hint:
      models.length === 0
        ? "No provider on this network has a GPU: leave resources.gpus out of job.yaml, or try later."
        : `Change resources.gpus in job.yaml, or try later. On offer: ${models.join(", ")}.`,
    details: { models },
  });
}

function tooLittleStake({ account }: Offer): IchainError {
  return new IchainError("NO_PROVIDER", `The provider ${account} has too little stake left for this job.`, {
    hint: "Choose another provider, or lower price or validatorFee in job.yaml.",
  });
}

function tooFewValidators(file: JobFile, found: number): IchainError {
  return new IchainError(
    "NO_VALIDATOR",
    `The job asks for ${file.verification.validators} validators; ${found} would fit.`,
  );
}

/** Values that `randomInt` draws from, at most 2^48. */
const STEPS = 2 ** 47;

/** Decides, by the chain's record of this account's jobs with `provider`, whether the next one is validated. */
export async function audit(
  { market, account }: { market: MarketReader; account: Address },
  provider: Address,
  policy: AuditPolicy,
  options: Abortable,
  chance: () => number = () => randomInt(STEPS) / STEPS,
): Promise<Audit> {
  const jobs = await market.jobs({ requester: account, provider }, options);
  return decideAudit(jobs, policy, chance());
}
