import { z } from "zod";
import { IchainError } from "../../../errors/error.ts";
import type { Mix } from "./trials.ts";

const MOST_SETS = 64;
const measuredSchema = z.record(
  z.string().max(64),
  z
    .record(z.string().max(64), z.object({ acc: z.number().min(0).max(1) }))
    .refine((sets) => Object.keys(sets).length >= 1 && Object.keys(sets).length <= MOST_SETS),
);

/**
 * Accuracies of the mixes, millionths, from what a task that measures left (`measured.json`, docs/federated.md): of several
 * sets the mean.
 * @throws GOSSIP_MEASURED_INVALID
 */
export function measuredMixes(text: string, mixes: ReadonlyMap<string, Mix>): (mix: Mix) => number {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid("is no JSON", cause);
  }
  const { data, error } = measuredSchema.safeParse(value);
  if (error) throw invalid(`has something else at ${error.issues[0]!.path.join(".")}`);
  const accuracies = new Map<Mix, number>();
  for (const [name, mix] of mixes) {
    const sets = Object.values(data[name] ?? {});
    if (sets.length === 0) throw invalid(`lacks the model ${name}`);
    accuracies.set(mix, Math.round((1e6 * sets.reduce((sum, { acc }) => sum + acc, 0)) / sets.length));
  }
  return (mix) => accuracies.get(mix)!;
}

function invalid(why: string, cause?: unknown): IchainError {
  return new IchainError("GOSSIP_MEASURED_INVALID", `What was measured ${why}.`, { cause });
}
