import type { Abortable } from "../async/abort.ts";
import { IchainError, isIchainError } from "../errors/error.ts";
import type { Market, MarketReader, Spender } from "../ports/market.ts";
import { COIN } from "../protocol/amounts.ts";
import { type Address, isAddress } from "../protocol/ids.ts";
import { type Pay, payOf } from "../protocol/policy/pay.ts";
import type { Policy } from "../protocol/policy/policy.ts";
import { tenderBy } from "../protocol/policy/tender.ts";
import type { JobFile } from "../protocol/task/spec.ts";

/** Tokens by the names that the network file gives them. */
export type TokenNames = Readonly<Record<string, Address>>;

/**
 * The address of a token that a job.yaml or a policy names.
 * @throws TOKEN_NAME_UNKNOWN
 */
export function tokenAddress(ref: string, names: TokenNames): Address {
  if (isAddress(ref)) return ref;
  const address = Object.hasOwn(names, ref) ? names[ref] : undefined;
  if (address !== undefined) return address;
  const known = Object.keys(names);
  throw new IchainError("TOKEN_NAME_UNKNOWN", `This network has no token called "${ref}".`, {
    details: { known },
    ...(known.length > 0 && { hint: `Write its address, or one of the network's: ${known.join(", ")}.` }),
  });
}

/**
 * The pay of a job whose token is named by its address.
 * @throws TOKEN_UNUSABLE, JOB_INVALID
 */
export async function readPay(market: MarketReader, file: JobFile, options: Abortable): Promise<Pay> {
  const { pay } = file;
  return payOf(file, pay === undefined ? COIN : await market.token(tokenAddress(pay.token, {}), options));
}

/**
 * The policy with the decimals of its tokens, as the chain has them.
 * @throws TOKEN_NAME_UNKNOWN, TOKEN_UNUSABLE
 * @throws POLICY_INVALID for a floor with more decimals than its token
 */
export async function readTenders(
  market: Pick<MarketReader, "token">,
  policy: Policy,
  names: TokenNames,
  options: Abortable,
): Promise<Policy> {
  const rules = policy.tokens.filter((rule) => rule !== "coin");
  const tenders = await Promise.all(
    rules.map(async (rule) =>
      tenderBy(rule, await market.token(tokenAddress(rule.token, names), options), policy),
    ),
  );
  return { ...policy, tenders };
}

/**
 * Lets the escrow, or that of federated jobs, take `amount` of a token beside what it may take already; nothing to do for the coin, or where that
 * is enough. Not in the journal: done twice it costs gas, and the escrow takes from an account only what that account
 * posts or disputes.
 * @throws TOKEN_REFUSED
 */
export async function allowEscrow(
  market: Market,
  token: Address,
  amount: bigint,
  { spender, ...options }: Abortable & { readonly spender?: Spender },
): Promise<void> {
  if (token === COIN.address) return;
  const { allowance } = await market.tokenFunds(market.account, token, { ...options, spender });
  if (allowance >= amount) return;
  const approve = async (sum: bigint) => {
    const tx = await market.prepare({ kind: "approve", token, amount: sum, spender }, options);
    await market.broadcast(tx, options);
  };
  try {
    await approve(allowance + amount);
  } catch (error) {
    // Some tokens change an approval only by way of none.
    if (allowance === 0n || !isIchainError(error, "TOKEN_REFUSED")) throw error;
    await approve(0n);
    await approve(amount);
  }
}
