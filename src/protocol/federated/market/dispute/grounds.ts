import { type Address, type Hex, sameAddress } from "../../../ids.ts";
import type { RoundMember } from "../../ledger/record.ts";
import { sharesOf } from "../../pay/shares.ts";
import type { FederatedJob } from "../job.ts";
import { type FederatedTerms, federatedBondOf } from "../terms.ts";

/** An upload that a provider asserted to a round. */
export interface AssertedUpload {
  readonly provider: Address;
  /** Root of the update's parcel. */
  readonly upload: Hex;
}

/** Uploads that were asserted to `round`, of providers that had not been struck before: a closing has to count them. */
export function assertedTo({ members }: FederatedJob, round: number): readonly AssertedUpload[] {
  return members.flatMap(({ account, assertions, strike }) => {
    if (strike !== undefined && strike.found.round < round) return [];
    return assertions
      .filter((one) => one.round === round)
      .map(({ upload }) => ({ provider: account, upload }));
  });
}

/** A round as its books have it, seen to be what the chain names, and what everyone had earned before it. */
export interface Books {
  readonly round: number;
  readonly members: readonly RoundMember[];
  readonly earned: ReadonlyMap<Address, bigint>;
  readonly earnedBefore: ReadonlyMap<Address, bigint>;
}

/**
 * Why a closing wrongs `provider`, by what anyone can check; undefined where it does not. `upload`: hash of the record that
 * it asserted. An update that was measured and left out wrongs no one.
 */
export function wrongIn(
  { members, earned, earnedBefore }: Books,
  {
    provider,
    upload,
    roundPrice,
  }: { readonly provider: Address; readonly upload: Hex; readonly roundPrice: bigint },
): "left-out" | "underpaid" | undefined {
  const own = members.findIndex((one) => sameAddress(one.provider, provider));
  if (members[own]?.upload !== upload) return "left-out";
  const account = members[own]!.provider;
  const paid = (earned.get(account) ?? 0n) - (earnedBefore.get(account) ?? 0n);
  const shareBy = (counts: (one: RoundMember) => boolean) =>
    sharesOf(
      roundPrice,
      members.map((one) => (counts(one) && one.audit !== "proven" ? BigInt(one.accuracy) : 0n)),
    ).shares[own]!;
  // By either rule of pay: its books do not say which is the job's.
  const [gated, ungated] = [shareBy(({ weight }) => weight > 0), shareBy((one) => one.upload !== NOTHING)];
  return paid < gated && paid < ungated ? "underpaid" : undefined;
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
