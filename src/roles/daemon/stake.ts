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
  /** Of it, at risk in jobs that are under way. */
  readonly locked: bigint;
  readonly leaving: Leaving;
  readonly banned: boolean;
}

/** Throws `NO_OFFER`, class `config`: stake stands behind an offer. */
export async function readStake(market: MarketReader, account: Address, options: Abortable): Promise<Stake> {
  const offer = await market.offer(account, options);
  if (offer === undefined) throw noOffer(account);
  const leaving = await market.leaving(account, options);
  return { account, total: offer.stake, locked: offer.lockedStake, leaving, banned: offer.banned };
}

type StakeCall = Extract<Call, { kind: "deposit" | "requestWithdrawal" | "withdrawStake" }>;

/** Moves stake, as an undertaking of its own; resolves with what it is then. */
export async function moveStake(context: RoleContext, call: StakeCall, options: Abortable): Promise<Stake> {
  const { market, account } = context;
  await readStake(market, account, options);
  const journal = context.journal.open("account", `stake-${Date.now()}`);
  await transact(market, journal, call, options);
  journal.finish("done");
  return readStake(market, account, options);
}

function noOffer(account: Address): IchainError {
  return new IchainError(`The account ${account} has no offer, and so no stake.`, {
    code: "NO_OFFER",
    class: "config",
    hint: "`ichain provide --stake COIN` or `ichain validate --stake COIN` publishes one and deposits.",
    details: { account },
  });
}
