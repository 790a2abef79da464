import { type Address, type Hex, sameAddress } from "../../../ids.ts";
import type { RoundMember } from "../../ledger/record.ts";
import { sharesOf } from "../../pay/shares.ts";
import { mayCount } from "../../replay.ts";
import { type FederatedTerms, federatedBondOf } from "../terms.ts";

/** A round as its books have it, seen to be what the chain names, and what everyone had earned before it. */
export interface Books {
  readonly round: number;
  readonly members: readonly RoundMember[];
  readonly earned: ReadonlyMap<Address, bigint>;
  readonly earnedBefore: ReadonlyMap<Address, bigint>;
}

/**
 * Whether a closing pays `provider` less than what its own figures come to. `upload`: hash of the record of its update; an
 * update that is not in the books, or was measured and left out, is not underpaid.
 */
export function isUnderpaid(
  { members, earned, earnedBefore }: Books,
  {
    provider,
    upload,
    roundPrice,
  }: { readonly provider: Address; readonly upload: Hex; readonly roundPrice: bigint },
): boolean {
  const own = members.findIndex((one) => sameAddress(one.provider, provider));
  if (members[own]?.upload !== upload) return false;
  const account = members[own]!.provider;
  const paid = (earned.get(account) ?? 0n) - (earnedBefore.get(account) ?? 0n);
  const shareBy = (counts: (one: RoundMember) => boolean) =>
    sharesOf(
      roundPrice,
      members.map((one) => (counts(one) && mayCount(one.audit) ? BigInt(one.accuracy) : 0n)),
    ).shares[own]!;
  // By either rule of pay: the books do not say which is the job's.
  return paid < shareBy(({ weight }) => weight > 0) && paid < shareBy((one) => one.upload !== NOTHING);
}

/**
 * Whether a challenge is worth its bond to a provider that is so sure of the panel (0 to 1): it wins a share of the void
 * round's price, or loses the bond.
 */
export function isWorthABond(terms: FederatedTerms, asserted: number, sure: number): boolean {
  const share = asserted === 0 ? 0n : terms.roundPrice / BigInt(asserted);
  return sure * Number(share) > (1 - sure) * Number(federatedBondOf(terms));
}

const NOTHING = `0x${"0".repeat(64)}` as Hex;
