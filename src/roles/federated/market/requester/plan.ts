import type { Abortable } from "../../../../async/abort.ts";
import { IchainError } from "../../../../errors/error.ts";
import type { MarketReader } from "../../../../ports/market.ts";
import { COIN, coinText } from "../../../../protocol/amounts.ts";
import type { FederatedJobFile } from "../../../../protocol/federated/market/file.ts";
import { SHARED_PERCENT } from "../../../../protocol/federated/market/policy.ts";
import { type Address, sameAddress } from "../../../../protocol/ids.ts";
import type { Offer } from "../../../../protocol/offer.ts";
import { freeStake, imageOf, unfitProvider } from "../../../../protocol/policy/match.ts";
import { floorPrice, tenderOf } from "../../../../protocol/policy/tender.ts";
import { pinImage, type Spec } from "../../../../protocol/task/spec.ts";
import { rank } from "../../../job/requester/posting/rank.ts";
import { weiOf } from "./draft.ts";

/** Most providers that are invited: what one or two invitations hold. */
const MOST_INVITED = 64;

/** Whom a federated job is for, and what it costs. */
export interface FederatedPlan {
  readonly image: Spec["image"];
  /** To invite, best first: twice as many as there are places, where so many fit. */
  readonly invited: readonly Offer[];
  /** The other providers, and why each cannot take part, for people. */
  readonly unfit: readonly { readonly offer: Offer; readonly why: string }[];
  /** Of all rounds, wei. */
  readonly pool: bigint;
}

/**
 * Finds the providers whose offers fit the job.
 * @throws NO_PROVIDER when fewer do than it begins with
 */
export async function planFederated(
  market: MarketReader,
  {
    file,
    pool,
    requester,
  }: { readonly file: FederatedJobFile; readonly pool: bigint; readonly requester: Address },
  { signal }: Abortable,
): Promise<FederatedPlan> {
  const { federated, resources } = file;
  const poolStake = await market.poolStake({ signal });
  const share = ((pool / BigInt(federated.rounds)) * SHARED_PERCENT) / 100n / BigInt(federated.providers);
  const whyNot = (offer: Offer): string | undefined => {
    const lacks = unfitProvider(offer, file);
    if (lacks !== undefined) return lacks;
    const tender = tenderOf(offer, COIN);
    if (tender === undefined) return "takes no coin";
    const floor = floorPrice(tender, resources.time);
    if (share < floor)
      return `asks for ${coinText(floor)} a run, its part of a round comes to ${coinText(share)}`;
    return freeStake(offer, poolStake) < weiOf(federated.deposit) ? "has too little stake left" : undefined;
  };
  const asked: { offer: Offer; why: string | undefined }[] = [];
  for await (const offer of market.offers({ signal }))
    if (offer.provider && !sameAddress(offer.account, requester)) asked.push({ offer, why: whyNot(offer) });
  const able = asked.flatMap(({ offer, why }) => (why === undefined ? [offer] : []));
  const floor = (offer: Offer) => offer.priceFloor;
  const ranked = await rank(market, able, { requester, priceOf: floor, wei: floor }, { signal });
  const fit = ranked.map(({ offer }) => offer);
  const image = fit[0] && pinImage(file.image, (name) => imageOf(fit[0]!, name));
  // Providers that hold another image of the name would train something else.
  const same = fit.filter((offer) => typeof image !== "string" || imageOf(offer, image) !== undefined);
  const unfit = asked.flatMap(({ offer, why }) => (why === undefined ? [] : [{ offer, why }]));
  const least = federated.least ?? federated.providers;
  if (image === undefined || same.length < least) throw tooFew(same.length, least, unfit);
  return { image, invited: same.slice(0, Math.min(MOST_INVITED, 2 * federated.providers)), unfit, pool };
}

function tooFew(found: number, least: number, unfit: FederatedPlan["unfit"]): IchainError {
  const why = unfit.slice(0, 3).map(({ offer, why: reason }) => `${offer.account} ${reason}`);
  return new IchainError("NO_PROVIDER", `The job begins with ${least} providers; ${found} would fit.`, {
    hint:
      why.length > 0
        ? `Some reasons: ${why.join("; ")}.`
        : "Lower federated.least in job.yaml, or try later.",
  });
}
