import { z } from "zod";
import type { OutputOf } from "../commands/output/all.ts";
import { dataOutputs } from "../commands/output/campaign.ts";
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
  z.strictObject({ kind: z.literal("campaign"), campaign: dataOutputs.show }),
  liveEventSchema,
]);
/**
 * What `client.follow` yields, told apart by `kind`: `job` and `federated` have the `job` at a change, as `client.job`
 * shows it, and `round` a closed `round` of a federated job, in the home that leads it; `campaign` has a data
 * campaign at a change; all others are `LiveEvent`s.
 */
export type FollowedEvent = z.output<typeof followedEventSchema>;

/** The same of a line of `ichain watch`. */
export function eventOf(printed: OutputOf<"watch">) {
  if ("campaignId" in printed) return { kind: "campaign", campaign: printed } as const;
  if ("event" in printed) return { kind: "round", round: printed } as const;
  if ("kind" in printed) return { kind: "federated", job: printed } as const;
  return { kind: "job", job: printed } as const;
}
