import { type Misbehaviour, misbehaviours } from "../../../src/devnet/misbehave.ts";
import type { JobState } from "../../../src/protocol/job/state.ts";
import type { Chance } from "./chance.ts";

/** Providers beside the bad ones. */
export const HONEST = 2;
export const VALIDATORS = 4;

/** One job of a batch; each provider has one at most in it, which is how the chain's jobs are told apart. */
export interface Planned {
  readonly provider: number;
  readonly bad: Misbehaviour | undefined;
  readonly validators: number;
  readonly requester: "honest" | "cancels" | "silent";
  /** Where a silent requester's process is killed. */
  readonly silentAt: JobState;
}

export interface Kill {
  readonly actor: string;
  /** Once this job of the batch is in that state. */
  readonly provider: number;
  readonly state: JobState;
}

const moments: readonly JobState[] = ["Posted", "Accepted", "Submitted", "Validating", "Validated"];

export function planBatch(chance: Chance, count: number, first: number): Planned[] {
  const kinds = [...misbehaviours, ...Array<undefined>(HONEST)];
  return Array.from({ length: Math.min(count, kinds.length) }, (_, i) => {
    const provider = (first + i) % kinds.length;
    return planJob(chance, provider, kinds[provider]);
  });
}

function planJob(chance: Chance, provider: number, bad: Misbehaviour | undefined): Planned {
  // Those two misbehave only where a panel is drawn, or asks for a report.
  const panel = bad === "no-seed" || bad === "no-report";
  const roll = chance.next();
  const validators = roll < 0.25 ? (panel ? 1 : 0) : roll < 0.45 ? 2 : 1;
  const shy = chance.next();
  const silent = bad === "no-seed" ? shy < 0.8 : shy < 0.15;
  const cancels = bad === undefined && shy > 0.85;
  return {
    ...{ provider, bad, validators },
    requester: silent ? "silent" : cancels ? "cancels" : "honest",
    silentAt: bad === "no-seed" ? "Accepted" : chance.pick(moments),
  };
}

/** Some of each role are never killed: theirs are the slopes. */
const mortal = [
  ...misbehaviours.map((_, i) => `provider-${i + 1}`).filter((_, i) => i % 2 === 0),
  ...[`provider-${misbehaviours.length + 1}`, "validator-1", "validator-2"],
];

export function planKills(chance: Chance, planned: readonly Planned[]): Kill[] {
  // The provider of a job that is cancelled is killed and restarted for that already.
  const busy = planned
    .filter(({ requester }) => requester === "cancels")
    .map(({ provider }) => `provider-${provider + 1}`);
  return [mortal.slice(0, -3), mortal.slice(-3)].map((actors) => ({
    actor: chance.pick(actors.filter((actor) => !busy.includes(actor))),
    provider: chance.pick(planned).provider,
    state: chance.pick(moments),
  }));
}
