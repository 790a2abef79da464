import { amountText } from "../../amounts.ts";
import { sameAddress } from "../../ids.ts";
import { acceptedTender, type Policy } from "../../policy/policy.ts";
import { type Refusal, refuse } from "../../policy/refusal.ts";
import { floorPrice } from "../../policy/tender.ts";
import type { FederatedTerms } from "./terms.ts";

/** What of a round's price providers share; the rest is the lead's. */
export const SHARED_PERCENT = 98n;

/**
 * Whether a provider with this policy takes part in a federated job: whose it is, what it pays, how long it lasts, what it
 * puts at risk. `now`: the chain's time, Unix seconds; `time`: seconds of one run of the task, once the spec is known; a provider's part of a round must pay it.
 */
export function refuseFederated(
  policy: Policy,
  terms: FederatedTerms,
  { now, time }: { readonly now: number; readonly time?: number },
): Refusal | undefined {
  const { requester, token, rounds, places, roundPrice, providerStake } = terms;
  const { enlistBy, roundWindow, disputeWindow } = terms;
  const { allow, deny } = policy.requesters;
  if (deny.some((one) => sameAddress(one, requester)))
    return refuse("REQUESTER_DENIED", "its requester is denied");
  if (allow && !allow.some((one) => sameAddress(one, requester)))
    return refuse("REQUESTER_NOT_ALLOWED", "its requester is not on the list");
  const tender = acceptedTender(policy, token);
  if (tender === undefined)
    return refuse("TOKEN_UNKNOWN", `it pays in ${token}, which the policy does not list`);
  if (!policy.federated.accept) return refuse("FEDERATED_NOT_TAKEN", "the policy takes no federated jobs");
  if (rounds > policy.federated.maxRounds)
    return refuse(
      "FEDERATED_TOO_LONG",
      `it has ${rounds} rounds, the policy takes ${policy.federated.maxRounds}`,
    );
  // The stake is locked all that time, whatever the requester does.
  const { maxWindow } = policy;
  if (Math.max(roundWindow, disputeWindow, enlistBy - now) > maxWindow)
    return refuse("FEDERATED_TOO_LONG", "one of its windows is longer than the policy's longest");
  if (rounds * roundWindow > policy.federated.maxTime)
    return refuse("FEDERATED_TOO_LONG", "its rounds together may take longer than the policy allows");
  if (providerStake > policy.maxStake) return refuse("STAKE_TOO_HIGH", "it asks for too much stake");
  if (time === undefined) return undefined;
  const share = (roundPrice * SHARED_PERCENT) / 100n / BigInt(places);
  const floor = floorPrice(tender, time);
  if (share >= floor) return undefined;
  return refuse("PRICE_TOO_LOW", "a provider's part of a round is below the floor for one run of its task", {
    field: "federated.pool",
    value: amountText(((floor * 100n) / SHARED_PERCENT + 1n) * BigInt(places * rounds), tender.decimals),
  });
}
