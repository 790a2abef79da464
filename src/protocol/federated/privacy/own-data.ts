import { type Address, sameAddress } from "../../ids.ts";
import type { OwnDataRules } from "../../machine/own-data.ts";
import { type Refusal, refuse } from "../../policy/refusal.ts";
import { epsilonAfter, type Privacy } from "./rule.ts";

/** Whether a provider with these folders lets a job train on the one that it asks for. */
export function refuseOwnData(
  rules: OwnDataRules,
  name: string,
  job: { readonly requester: Address; readonly rounds: number; readonly privacy?: Privacy | undefined },
): Refusal | undefined {
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
  if (rule === undefined)
    return refuse("FEDERATED_DATA_NOT_HERE", `the policy has no data of the name "${name}"`);
  const { requesters, maxEpsilon, maxClip } = rule;
  if (requesters !== undefined && !requesters.some((one) => sameAddress(one, job.requester)))
    return refuse("REQUESTER_NOT_ALLOWED", `its requester may not train on "${name}"`);
  const { privacy } = job;
  const norm = privacy?.clip ?? Number.POSITIVE_INFINITY;
  if (maxClip !== undefined && norm > maxClip)
    return refuse("FEDERATED_PRIVACY_TOO_WEAK", `updates may be longer than ${maxClip}`, {
      field: "federated.privacy.clip",
      value: String(maxClip),
    });
  const epsilon = privacy === undefined ? Number.POSITIVE_INFINITY : epsilonAfter(privacy, job.rounds);
  if (maxEpsilon !== undefined && epsilon > maxEpsilon) {
    const found = Number.isFinite(epsilon) ? `ε would be ${epsilon.toFixed(1)}` : "it adds no noise";
    return refuse("FEDERATED_PRIVACY_TOO_WEAK", `${found}; the policy allows ε = ${maxEpsilon}`);
  }
  return undefined;
}
