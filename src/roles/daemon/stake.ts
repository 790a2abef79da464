import type { Abortable } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import type { Call, Leaving, MarketReader } from "../../ports/market.ts";
import type { Address } from "../../protocol/ids.ts";
import type { RoleContext } from "../context.ts";
import { transact } from "../shared/transact.ts";

/** An account's stake; amounts in the coin's smallest unit. */
export interface Stake {
  readonly account: Address;
  readonly total: bigint;
  /** The part that unfinished jobs have locked. */
  readonly locked: bigint;
  readonly leaving: Leaving;
  readonly banned: boolean;
}

/** @throws NO_OFFER stake stands behind an offer, and the account has none */
export async function readStake(market: MarketReader, account: Address, options: Abortable): Promise<Stake> {
  const offer = await market.offer(account, options);
  if (offer === undefined) throw noOffer(account);
  const leaving = await market.leaving(account, options);
  return { account, total: offer.stake, locked: offer.lockedStake, leaving, banned: offer.banned };
}

type StakeCall = Extract<Call, { kind: "deposit" | "requestWithdrawal" | "withdrawStake" }>;

/**
 * Moves stake, as an undertaking of its own; resolves with the stake after it.
 * @throws NO_OFFER
 */
export async function moveStake(context: RoleContext, call: StakeCall, options: Abortable): Promise<Stake> {
  const { market, account } = context;
  await readStake(market, account, options);
  const journal = context.journal.open("account", `stake-${Date.now()}`);
  await transact(market, journal, call, options);
  journal.finish("done");
  return readStake(market, account, options);
}

function noOffer(account: Address): IchainError {
  return new IchainError("NO_OFFER", `The account ${account} has no offer, and so no stake.`, {
    details: { account },
  });
}
