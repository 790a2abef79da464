import { mkdir } from "node:fs/promises";
import { join } from "node:path";

/** Paths of the requester's files of one federated job, below the job's folder. */
export function leadFiles(dir: string) {
  return {
    dir,
    /** The bundle's files, and what a run of the task is given beside them. */
    input: join(dir, "in"),
    rounds: join(dir, "rounds"),
    /** The result, once the job is over: the model, its ledger. */
    result: join(dir, "result"),
    /** Its ledger, which is written last: where it is, the result is whole. */
    ledger: join(dir, "result", "job.ledger"),
    /** The exact model that round `round` begins with. */
    model: (round: number) => join(dir, "rounds", `model-${round}.vector`),
    /** State `index` of the server's step before round `round`. */
    state: (round: number, index: number) => join(dir, "rounds", `state-${round}-${index}.vector`),
    /** Of distillation: that model's scores of the public rows. */
    scores: (round: number) => join(dir, "rounds", `scores-${round}.vector`),
    /** The parcel with that model. */
    parcel: (round: number) => join(dir, "rounds", `model-${round}.parcel`),
    /** The parcel with what seats aggregate rounds with. */
    kit: join(dir, "rounds", "kit.parcel"),
    part: (place: number) => join(dir, "rounds", `part-${place}.parcel`),
    /** A provider's update in a round, without an extension. */
    update: (round: number, account: string) => join(dir, "rounds", `update-${round}-${account.slice(2)}`),
    /** What a seat would make of round `round`, by who proposes it, without an extension. */
    proposed: (round: number, by: number) => join(dir, "rounds", `proposed-${round}-${by}`),
    /** What the requester's own rows make of a round's model. */
    rootUpdate: (round: number) => join(dir, "rounds", `root-${round}`),
    /** A model that is tried before it is taken. */
    tried: join(dir, "rounds", "tried"),
  } as const;
}

export type LeadFiles = ReturnType<typeof leadFiles>;

export async function emptyRoundFiles({ rounds }: LeadFiles): Promise<void> {
  await mkdir(rounds, { recursive: true, mode: 0o700 });
}
