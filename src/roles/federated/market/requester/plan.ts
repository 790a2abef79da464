import type { Abortable } from "../../../../async/abort.ts";
import { IchainError } from "../../../../errors/error.ts";
import type { MarketReader } from "../../../../ports/market.ts";
import { amountText, COIN, type TokenInfo } from "../../../../protocol/amounts.ts";
import type { FederatedJobFile } from "../../../../protocol/federated/market/file.ts";
import { SHARED_PERCENT } from "../../../../protocol/federated/market/policy.ts";
import { type Address, sameAddress } from "../../../../protocol/ids.ts";
import type { Offer } from "../../../../protocol/offer.ts";
import { freeStake, imageOf, unfitProvider } from "../../../../protocol/policy/match.ts";
import { coinRate, floorPrice, inCoin, tenderOf } from "../../../../protocol/policy/tender.ts";
import { pinImage, type Spec } from "../../../../protocol/task/spec.ts";
import { rank } from "../../../job/requester/posting/rank.ts";
import { seatFeeOf, weiOf } from "./draft.ts";

/** Most providers that are invited: what one or two invitations hold. */
const MOST_INVITED = 64;

/** Whom a federated job is for, and what it costs. */
export interface FederatedPlan {
  readonly image: Spec["image"];
  /** To invite, best first: twice as many as there are places, where so many fit; where data or peers are their own, all that fit. */
  readonly invited: readonly Offer[];
  /** The other providers, and why each cannot take part, for people. */
  readonly unfit: readonly { readonly offer: Offer; readonly why: string }[];
  /** Of all rounds, smallest unit of the token. */
  readonly pool: bigint;
  /** What its validators are paid in all rounds, smallest unit of the token. */
  readonly fees: bigint;
  readonly token: TokenInfo;
}

/**
 * Finds the providers whose offers fit the job.
 * @throws NO_PROVIDER when fewer do than it begins with
 * @throws NO_VALIDATOR when the pool has fewer that can be drawn than the job asks for
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
  const drawable: Offer[] = [];
  for await (const offer of market.offers({ signal })) {
    if (sameAddress(offer.account, requester)) continue;
    if (offer.provider) asked.push({ offer, why: whyNot(offer) });
    if (offer.pooled) drawable.push(offer);
  }
  const { validators } = federated;
  const fee = seatFeeOf(file, token);
  refuseFewValidators(
    drawable,
    { count: validators.count, fee, deposit: weiOf(validators.deposit), token },
    poolStake,
  );
  const able = asked.flatMap(({ offer, why }) => (why === undefined ? [offer] : []));
  const priceOf = (offer: Offer) => floorOf(offer) ?? 0n;
  const wei = (offer: Offer) => inCoin(priceOf(offer), tenderOf(offer, token) ?? coinRate);
  const ranked = await rank(market, able, { requester, priceOf, wei }, { signal });
  const fit = ranked.map(({ offer }) => offer);
  const image = fit[0] && pinImage(file.image, (name) => imageOf(fit[0]!, name));
  // Providers that hold another image of the name would train something else.
  const same = fit.filter((offer) => typeof image !== "string" || imageOf(offer, image) !== undefined);
  const unfit = asked.flatMap(({ offer, why }) => (why === undefined ? [] : [{ offer, why }]));
  // Who has data of the name, or a peer of the network, is known to the providers alone.
  const anyMayFit = federated.data.own !== undefined || federated.gossip !== undefined;
  const most = anyMayFit ? MOST_INVITED : Math.min(MOST_INVITED, 2 * federated.providers);
  const least = federated.least ?? federated.providers;
  if (image === undefined || same.length < least) throw tooFew(same.length, least, unfit);
  return {
    image,
    invited: same.slice(0, most),
    unfit,
    pool,
    fees: BigInt(federated.rounds * validators.count) * fee,
    token,
  };
}

/** The contract draws from the pool those whose fee, in coin, is not above the job's and whose free stake is enough. */
function refuseFewValidators(
  drawable: readonly Offer[],
  { count, fee, deposit, token }: { count: number; fee: bigint; deposit: bigint; token: TokenInfo },
  poolStake: bigint,
): void {
  const able = drawable.filter(
    (offer) =>
      (token.address !== COIN.address || offer.feeFloor <= fee) && freeStake(offer, poolStake) >= deposit,
  );
  if (able.length >= count) return;
  const floors = drawable.map(({ feeFloor }) => feeFloor).toSorted((a, b) => (a < b ? -1 : 1));
  const asks = floors[count - 1];
  throw new IchainError(
    "NO_VALIDATOR",
    `The job asks for ${count} validators; ${able.length} could be drawn.`,
    {
      hint:
        asks === undefined
          ? `Ask for ${floors.length} at most under federated.validators, or lead the job yourself: validators: 0.`
          : `Set federated.validators.fee to ${amountText(asks, COIN.decimals)} or more, and a deposit that they can put up.`,
    },
  );
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
