import type { Abortable } from "../../async/abort.ts";
import { IchainError, isIchainError } from "../../errors/error.ts";
import type { MarketReader } from "../../ports/market.ts";
import type { Keyring } from "../../ports/parcels.ts";
import type { Address } from "../../protocol/ids.ts";
import type { Party } from "../../protocol/offer.ts";
import type { RoleContext } from "../context.ts";

/**
 * An account with the keys of its offer. Both must name each other: the account has signed the keys, and the
 * certificate names the account.
 * @throws OFFER_GONE
 * @throws KEY_MALFORMED
 * @throws KEY_NOT_BOUND
 */
export async function partyOf(
  { market, keyring }: { market: Pick<MarketReader, "offer">; keyring: Pick<Keyring, "check"> },
  account: Address,
  options: Abortable,
): Promise<Party> {
  const offer = await market.offer(account, options);
  if (offer === undefined) throw offerGone(account);
  const party = { account, keys: offer.keys };
  await keyring.check(party);
  return party;
}

/**
 * The same for a validator that another party chose: undefined, with a warning, when its keys cannot be trusted.
 * Such a validator gets nothing and abstains; the job continues.
 */
export async function trustedParty(
  context: RoleContext,
  account: Address,
  options: Abortable,
): Promise<Party | undefined> {
  try {
    return await partyOf(context, account, options);
  } catch (error) {
    if (!isIchainError(error, "OFFER_GONE") && !(isIchainError(error) && error.class === "untrusted"))
      throw error;
    context.reporter.emit({ kind: "warn", text: `${error.message} Nothing is sealed to it.` });
    return undefined;
  }
}

function offerGone(account: Address): IchainError {
  return new IchainError("OFFER_GONE", `The offer of ${account} is gone.`, { details: { account } });
}
