import type { Abortable } from "../../async/abort.ts";
import { isIchainError } from "../../errors/error.ts";
import type { JobJournal } from "../../ports/journal.ts";
import type { Hex } from "../../protocol/ids.ts";
import { type Failure, isOwnExitCode } from "../../protocol/task/failure.ts";
import type { WorkerContext } from "../context.ts";
import { exitFailure, type Measured, outputsOf, runFailure, runTask, type Task } from "./run-task.ts";

/** Why a run came to nothing, in words for the other party; `failure` is absent where the machine may be the cause. */
export interface Fault {
  readonly reason: string;
  readonly failure?: Failure | undefined;
}

/** The fault of a run that ended with `reason`; 0 is the run that makes the result, 1 the one that measures it. */
export function faultOf({ run: { ended, exitCode } }: Measured, run: Failure["run"], reason: string): Fault {
  const fault = (kind: Failure["kind"]): Fault => ({ reason, failure: { run, kind, exitCode } });
  if (ended === "memory" || ended === "disk") return fault(ended);
  if (ended === "output") return fault("unfit");
  if (ended !== "exit") return { reason };
  if (exitCode === 0) return fault("metric");
  return isOwnExitCode(exitCode) ? fault("exit") : { reason };
}

/** Reasons without names of files, because they are published on the chain. */
const undeliverable: Readonly<Record<string, [Failure["kind"], string]>> = {
  PARCEL_INPUT_MISSING: ["missing", "the task did not leave all the outputs that its spec names"],
  PARCEL_INPUT_TOO_LARGE: ["unfit", "the task left more than a parcel holds"],
  PARCEL_UNSAFE_PATH: ["unfit", "the task left a file with a name that no parcel carries"],
  PARCEL_UNSUPPORTED_FILE: ["unfit", "the task left something that is no plain file or folder"],
};

/** The fault of outputs that cannot be delivered: it is the job's. Throws other errors on. */
export function undeliverableFault(error: unknown): Fault {
  const known = isIchainError(error) && error.class === "usage" ? undeliverable[error.code] : undefined;
  if (known === undefined) throw error;
  const [kind, reason] = known;
  return { reason, failure: { run: "0", kind, exitCode: 0 } };
}

/**
 * Runs the task from its beginning, as far as the run that is said to fail (`claimed`), and resolves with how it failed
 * here, or with the digest of its outputs where it did not. `again` where this machine has run it before.
 */
export async function attempt(
  context: WorkerContext,
  journal: JobJournal,
  { claimed, again, ...task }: Omit<Task, "stage"> & { claimed: Failure["run"]; again: boolean },
  options: Abortable,
): Promise<Fault | { readonly digest: Hex }> {
  const { verification, outputs } = task.spec;
  const { metric, mode } = verification;
  const kind = again ? "produce-again" : "produce";
  const produced = await runTask(context, journal, { ...task, stage: { kind } }, options);
  const prints = mode === "replicate" || mode === "digest";
  const failed = prints ? runFailure(produced, metric) : exitFailure(produced);
  if (failed) return faultOf(produced, "0", failed);
  const folder = await outputsOf(context, journal, options, kind);
  const digest = await context.parcels.digest(folder, outputs, options).catch(undeliverableFault);
  if (typeof digest !== "string") return digest;
  // In other modes a provider makes no run that measures: such a run could fail for want of the exam, or of the argument.
  if (claimed === "0" || mode !== "evaluate") return { digest };
  const stage = { kind: again ? "evaluate-again" : "evaluate", resultDir: folder } as const;
  const measured = await runTask(context, journal, { ...task, stage }, options);
  const why = runFailure(measured, metric);
  return why ? faultOf(measured, "1", why) : { digest };
}
