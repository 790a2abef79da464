import type { Abortable } from "../../async/abort.ts";
import { IchainError, isIchainError } from "../../errors/error.ts";
import type { Address } from "../../protocol/ids.ts";
import type { Party } from "../../protocol/offer.ts";
import type { RoleContext } from "../context.ts";

/**
 * An account with the keys of its offer, bound to each other both ways: the account has signed them, and
 * the certificate names the account. Throws `OFFER_GONE`, or class `untrusted`.
 */
export async function partyOf(
  { market, keyring }: Pick<RoleContext, "market" | "keyring">,
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
 * The same for a validator that somebody else chose: undefined, with a warning, when nothing may be sealed
 * to it. It is left to abstain, and the job goes on.
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
  return new IchainError(`The offer of ${account} is gone.`, {
    code: "OFFER_GONE",
    class: "refused",
    hint: "Choose again: `ichain providers` lists who is there now.",
    details: { account },
  });
}
