import { type JobId, sameAddress } from "../../../src/protocol/ids.ts";
import type { Job } from "../../../src/protocol/job/job.ts";
import { type Measurement, measurementCommitment } from "../../../src/protocol/job/measurement.ts";
import { WORST_SCORE } from "../../../src/protocol/task/metric.ts";
import type { RoleContext } from "../../../src/roles/context.ts";
import { send } from "../chain/chain.ts";
import { random32 } from "../chain/terms.ts";
import { waits } from "./by-hand.ts";

/** A validator's calls, made by hand. */

/** The next job in which this account is to commit. */
export async function seated({ market, account }: RoleContext): Promise<Job> {
  for await (const job of market.watch({ validator: account }, waits)) {
    const seat = job.validations.find(({ validator }) => sameAddress(validator, account));
    if (job.state === "Validating" && job.committing && seat && !seat.commitment) return job;
  }
  throw new RangeError("the watch ended");
}

/** The job once this holds of it. */
export async function when({ market }: RoleContext, id: JobId, holds: (job: Job) => boolean): Promise<Job> {
  for await (const job of market.follow(id, waits)) if (holds(job)) return job;
  throw new RangeError(`job ${id} ended before it came to that`);
}

/** A measurement that no honest validator makes. */
export const bad = (): Measurement => ({ digest: random32(), score: WORST_SCORE, salt: random32() });

export async function commit(
  { market, account }: RoleContext,
  { id }: Job,
  value: Measurement,
): Promise<void> {
  const commitment = measurementCommitment(id, account, value);
  await send(market, { kind: "commit", job: await market.job(id, waits), commitment });
}

/** Without the provider's measurement, as if it had not been shown it. */
export async function revealAlone({ market }: RoleContext, { id }: Job, value: Measurement): Promise<void> {
  await send(market, { kind: "reveal", job: await market.job(id, waits), own: value });
}
