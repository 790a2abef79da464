import { computeAddress, id, SigningKey } from "ethers";
import type { TrialFile } from "../../../protocol/federated/job-file.ts";
import type { Address } from "../../../protocol/ids.ts";

/** An account of a simulation, worth nothing: its key follows from the seed. */
export interface Identity {
  /** In lower case. */
  readonly account: Address;
  readonly key: SigningKey;
}

/** Providers and as many spares, in ascending order of their accounts. */
export function providersOf({ federated, simulation }: TrialFile): Identity[] {
  return Array.from({ length: 2 * federated.providers }, (_, i) =>
    identity(`provider ${i} ${simulation.seed}`),
  ).sort((a, b) => (a.account < b.account ? -1 : 1));
}

export function leadOf({ simulation }: TrialFile): Identity {
  return identity(`lead ${simulation.seed}`);
}

function identity(name: string): Identity {
  const key = new SigningKey(id(`ichain simulation: ${name}`));
  return { key, account: computeAddress(key).toLowerCase() as Address };
}
