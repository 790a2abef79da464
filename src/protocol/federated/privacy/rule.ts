import { z } from "zod";
import { strategyOf } from "../strategies.ts";
import { epsilonOf } from "./accountant.ts";

/** Above this a bound says that an observer may be e^100 times as sure: nothing. */
const MOST_EPSILON = 100;

/** The block `privacy` of a federated job. */
export const privacySchema = z.strictObject({
  clip: z
    .number()
    .min(2 ** -20)
    .max(1e6)
    .describe("Longest L2 norm of a provider's change; longer ones are scaled down to it"),
  noise: z
    .number()
    .min(0)
    .max(1e4)
    .default(0)
    .describe("Deviation of the normal noise that is added to each value, in multiples of `clip`; 0: none"),
  delta: z.number().min(1e-15).max(0.5).default(1e-5).describe("δ at which ε is told; below 1 / providers"),
});
export type Privacy = z.output<typeof privacySchema>;

/**
 * ε of one provider's part after the `rounds` in which an update of it was sent: how well one who sees these updates can
 * tell it from any other part. Two parts may send opposite changes, so the sensitivity is twice the norm.
 */
export function epsilonAfter({ noise, delta }: Privacy, rounds: number): number {
  return epsilonOf({ ratio: noise / 2, rounds, delta });
}

/** Why `privacy` would promise what it does not hold; undefined where it is sound, or clips alone. */
export function whyMeaningless(
  privacy: Privacy,
  job: { readonly strategy: string; readonly providers: number; readonly rounds: number },
): string | undefined {
  if (privacy.noise === 0) return undefined;
  if (strategyOf(job.strategy)?.needs.includes("gains")) {
    return `${job.strategy} measures updates on the rows of their own providers, which noise does not hide; take another strategy, root-cosine for example`;
  }
  if (privacy.delta >= 1 / job.providers) {
    return `delta must be below 1 / providers (${1 / job.providers}): one that large lets a provider's part be told outright`;
  }
  const epsilon = epsilonAfter(privacy, job.rounds);
  if (epsilon <= MOST_EPSILON) return undefined;
  return `noise ${privacy.noise} leaves ε = ${Math.round(epsilon)} after ${job.rounds} rounds, which protects nothing; give noise of at least ${leastNoise(privacy, job.rounds)}, or 0 to clip alone`;
}

/** The least noise, in hundredths, that keeps ε within what says something. */
function leastNoise(privacy: Privacy, rounds: number): number {
  let [low, high] = [0, 1];
  const enough = (hundredths: number) =>
    epsilonAfter({ ...privacy, noise: hundredths / 100 }, rounds) <= MOST_EPSILON;
  while (!enough(high)) high *= 2;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high / 100;
}
