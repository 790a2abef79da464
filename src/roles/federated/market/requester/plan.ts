import type { Abortable } from "../../../../async/abort.ts";
import { IchainError } from "../../../../errors/error.ts";
import type { MarketReader } from "../../../../ports/market.ts";
import { amountText, type TokenInfo } from "../../../../protocol/amounts.ts";
import type { FederatedJobFile } from "../../../../protocol/federated/market/file.ts";
import { SHARED_PERCENT } from "../../../../protocol/federated/market/policy.ts";
import { type Address, sameAddress } from "../../../../protocol/ids.ts";
import type { Offer } from "../../../../protocol/offer.ts";
import { freeStake, imageOf, unfitProvider } from "../../../../protocol/policy/match.ts";
import { coinRate, floorPrice, inCoin, tenderOf } from "../../../../protocol/policy/tender.ts";
import { pinImage, type Spec } from "../../../../protocol/task/spec.ts";
import { rank } from "../../../job/requester/posting/rank.ts";
import { weiOf } from "./draft.ts";

/** Most providers that are invited: what one or two invitations hold. */
const MOST_INVITED = 64;

/** Whom a federated job is for, and what it costs. */
export interface FederatedPlan {
  readonly image: Spec["image"];
  /** To invite, best first: twice as many as there are places, where so many fit; where data are their own, all that fit. */
  readonly invited: readonly Offer[];
  /** The other providers, and why each cannot take part, for people. */
  readonly unfit: readonly { readonly offer: Offer; readonly why: string }[];
  /** Of all rounds, smallest unit of the token. */
  readonly pool: bigint;
  readonly token: TokenInfo;
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
    token,
    requester,
  }: {
    readonly file: FederatedJobFile;
    readonly pool: bigint;
    readonly token: TokenInfo;
    readonly requester: Address;
  },
  { signal }: Abortable,
): Promise<FederatedPlan> {
  const { federated, resources } = file;
  const poolStake = await market.poolStake({ signal });
  const share = ((pool / BigInt(federated.rounds)) * SHARED_PERCENT) / 100n / BigInt(federated.providers);
  const text = (amount: bigint) => amountText(amount, token.decimals);
  const floorOf = (offer: Offer) => {
    const tender = tenderOf(offer, token);
    return tender && floorPrice(tender, resources.time);
  };
  const whyNot = (offer: Offer): string | undefined => {
    const lacks = unfitProvider(offer, file);
    if (lacks !== undefined) return lacks;
    const floor = floorOf(offer);
    if (floor === undefined) return `takes no ${token.symbol}`;
    if (share < floor) return `asks for ${text(floor)} a run, its part of a round comes to ${text(share)}`;
    return freeStake(offer, poolStake) < weiOf(federated.deposit) ? "has too little stake left" : undefined;
  };
  const asked: { offer: Offer; why: string | undefined }[] = [];
  for await (const offer of market.offers({ signal }))
    if (offer.provider && !sameAddress(offer.account, requester)) asked.push({ offer, why: whyNot(offer) });
  const able = asked.flatMap(({ offer, why }) => (why === undefined ? [offer] : []));
  const priceOf = (offer: Offer) => floorOf(offer) ?? 0n;
  const wei = (offer: Offer) => inCoin(priceOf(offer), tenderOf(offer, token) ?? coinRate);
  const ranked = await rank(market, able, { requester, priceOf, wei }, { signal });
  const fit = ranked.map(({ offer }) => offer);
  const image = fit[0] && pinImage(file.image, (name) => imageOf(fit[0]!, name));
  // Providers that hold another image of the name would train something else.
  const same = fit.filter((offer) => typeof image !== "string" || imageOf(offer, image) !== undefined);
  const unfit = asked.flatMap(({ offer, why }) => (why === undefined ? [] : [{ offer, why }]));
  // Who has data of the name is known to the providers alone.
  const most =
    federated.data.own === undefined ? Math.min(MOST_INVITED, 2 * federated.providers) : MOST_INVITED;
  const least = federated.least ?? federated.providers;
  if (image === undefined || same.length < least) throw tooFew(same.length, least, unfit);
  return {
    image,
    invited: same.slice(0, most),
    unfit,
    pool,
    token,
  };
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
