import type { Abortable } from "../../async/abort.ts";
import type { JobJournal } from "../../ports/journal.ts";
import type { Spec } from "../../protocol/task/spec.ts";
import type { WorkerContext } from "../context.ts";

const nameOf = ({ role, key }: JobJournal) => `${role}-${key}`;

/**
 * Reserves the GPUs that a spec asks for: the same ones again after a restart. Resolves with their UUIDs.
 * @throws GPU_ABSENT this machine has fewer such GPUs
 * @throws GPU_BUSY other jobs hold them now; retryable
 */
export async function reserveGpus(
  { sandbox }: WorkerContext,
  journal: JobJournal,
  { gpus: count, gpu: demand }: Pick<Spec["resources"], "gpus" | "gpu">,
  options: Abortable,
): Promise<readonly string[]> {
  const job = nameOf(journal);
  const had = await journal.step("gpus", {
    prepare: () => sandbox.reserve(job, { count, demand }, options),
    act: (uuids) => uuids,
  });
  return sandbox.reserve(job, { count, demand, had }, options);
}

/** Ends the reservation; no error when the job has none. */
export function releaseGpus({ sandbox }: WorkerContext, journal: JobJournal): void {
  sandbox.release(nameOf(journal));
}
