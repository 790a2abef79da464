import type { Abortable } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import type { AccountCall, Ownership } from "../../ports/market/ownership.ts";
import type { Leaving, MarketReader } from "../../ports/market.ts";
import type { Address } from "../../protocol/ids.ts";
import type { RoleContext } from "../context.ts";
import { transact } from "../shared/transact.ts";

/** An account's stake; amounts in the coin's smallest unit. */
export interface Stake extends Pick<Ownership, "owner" | "payee"> {
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
  const { owner, payee } = await market.ownership(account, options);
  const { stake: total, lockedStake: locked, banned } = offer;
  return { account, total, locked, leaving, banned, owner, payee };
}

export type StakeCall = Extract<AccountCall, { kind: "deposit" | "requestWithdrawal" | "withdrawStake" }>;

/**
 * Moves stake, as an undertaking of its own; resolves with the stake after it.
 * @throws NO_OFFER
 */
export async function moveStake(context: RoleContext, call: StakeCall, options: Abortable): Promise<Stake> {
  const { market } = context;
  const account = call.of ?? context.account;
  await readStake(market, account, options);
  const journal = context.journal.open("account", `stake-${Date.now()}`);
  await transact(market, journal, call, options);
  journal.finish("done");
  return readStake(market, account, options);
}

export type OwnershipCall = Extract<AccountCall, { kind: "offerOwnership" | "acceptOwnership" | "setPayee" }>;

/** Changes whose an account is, or where it is paid, as an undertaking of its own; resolves with what holds then. */
export async function changeOwnership(
  context: RoleContext,
  call: OwnershipCall,
  options: Abortable,
): Promise<Ownership> {
  const { market, account } = context;
  const journal = context.journal.open("account", `owner-${Date.now()}`);
  await transact(market, journal, call, options);
  journal.finish("done");
  return await market.ownership(call.of ?? account, options);
}

function noOffer(account: Address): IchainError {
  return new IchainError("NO_OFFER", `The account ${account} has no offer, and so no stake.`, {
    details: { account },
  });
}
