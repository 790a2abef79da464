import type { Abortable } from "../../async/abort.ts";
import type { JobJournal } from "../../ports/journal.ts";
import type { WorkerContext } from "../context.ts";

const nameOf = ({ role, key }: JobJournal) => `${role}-${key}`;

/**
 * Sets a job's GPUs aside, the same ones after a restart. Throws `GPU_ABSENT` (class `refused`) or
 * `GPU_BUSY` (retryable).
 */
export async function lendGpus(
  { sandbox }: WorkerContext,
  journal: JobJournal,
  count: number,
  options: Abortable,
): Promise<readonly string[]> {
  const job = nameOf(journal);
  const had = await journal.step("gpus", {
    prepare: () => sandbox.reserve(job, { count }, options),
    act: (uuids) => uuids,
  });
  return sandbox.reserve(job, { count, had }, options);
}

/** Takes them back; no error when it has none. */
export function takeBackGpus({ sandbox }: WorkerContext, journal: JobJournal): void {
  sandbox.release(nameOf(journal));
}
