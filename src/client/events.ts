import { z } from "zod";
import { federatedJobOutput, federatedOutputs } from "../commands/output/federated.ts";
import { jobOutput } from "../commands/output/job.ts";
import { liveEventSchema } from "../control/messages.ts";

/** The events of `client.follow`. */
export const followedEventSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("job"), job: jobOutput }),
  z.strictObject({ kind: z.literal("federated"), job: federatedJobOutput }),
  z
    .strictObject({ kind: z.literal("round"), round: federatedOutputs.watch[1] })
    .describe("a closed round of a federated job, in the home that leads it"),
  liveEventSchema,
]);
/**
 * What `client.follow` yields, told apart by `kind`: `job` and `federated` have the `job` at a change, as `client.job`
 * shows it, and `round` a closed `round` of a federated job, in the home that leads it; all others are `LiveEvent`s.
 */
export type FollowedEvent = z.output<typeof followedEventSchema>;

/** The same of a line of `ichain watch`. */
export function eventOf(printed: z.output<typeof jobOutput | (typeof federatedOutputs.watch)[number]>) {
  if ("event" in printed) return { kind: "round", round: printed } as const;
  if ("kind" in printed) return { kind: "federated", job: printed } as const;
  return { kind: "job", job: printed } as const;
}
