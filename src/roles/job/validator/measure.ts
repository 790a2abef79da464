import type { Abortable } from "../../../async/abort.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { type Job, seatOf } from "../../../protocol/job/job.ts";
import type { Measurement } from "../../../protocol/job/measurement.ts";
import type { ValidationLocator } from "../../../protocol/parcel/locator.ts";
import { type Policy, refuseImage } from "../../../protocol/policy/policy.ts";
import { type Failure, isSameFailure } from "../../../protocol/task/failure.ts";
import { FAILED_RUN, isStable } from "../../../protocol/task/judgement.ts";
import { toScore, WORST_SCORE } from "../../../protocol/task/metric.ts";
import type { WorkerContext } from "../../context.ts";
import { type Slots, waitText } from "../../daemon/slots.ts";
import { jobFolder } from "../../shared/job-folder.ts";
import { random32 } from "../../shared/random.ts";
import { attempt } from "../../task/attempt.ts";
import { awaitHost } from "../../task/await-host.ts";
import { ensureImage } from "../../task/ensure-image.ts";
import { fetchBundle } from "../../task/fetch-bundle.ts";
import { holdKept } from "../../task/kept/kept-inputs.ts";
import { releaseGpus, reserveGpus } from "../../task/reserve-gpus.ts";
import { cutShort, outputsOf, runFailure, runTask, type Stage, type Task } from "../../task/run-task.ts";
import { fetchExam, openExam } from "./fetch-exam.ts";
import { deliveredKey, measureFailed, openDelivered, SILENT_MS } from "./open-delivered.ts";

const ZERO_DIGEST: Hex = `0x${"00".repeat(32)}`;
/** The measurement of a result that does not open or was not served. */
const NOTHING = { digest: ZERO_DIGEST, score: WORST_SCORE } as const;

type Finding = Omit<Measurement, "salt">;

export interface Sources {
  readonly job: Job;
  readonly locator: ValidationLocator;
  readonly policy: Policy;
  readonly slots: Slots;
  readonly waiting: Waiting;
}

/** Where a measurement stands when its time runs out. */
export interface Waiting {
  /** Waiting for one of this machine's slots, or for its CPUs and memory. */
  queued: boolean;
}

/**
 * The validator's own measurement: of the provider's result (`evaluate`, `exam`), or of a run of its own (`replicate`,
 * `digest`, and where the provider says that the run failed). A result that does not open or cannot be evaluated gets the worst score.
 * @throws MEASURE_FAILED where this machine or the task is the cause; the validator then abstains
 */
export async function measure(
  context: WorkerContext,
  journal: JobJournal,
  { job, locator, policy, slots, waiting }: Sources,
  options: Abortable,
): Promise<Measurement> {
  const known = journal.outcome<Measurement>("measurement");
  if (known !== undefined) return known;
  // Wait for key and hosts before taking a slot: those who keep us waiting must not keep other jobs waiting.
  const sessionKey = await deliveredKey(context, journal, { job, locator }, options);
  const waits = { ...options, withinMs: SILENT_MS };
  const { bundle: endpoint } = locator;
  await awaitHost(context, journal, { step: "bundle", endpoint, root: job.terms.bundleRoot }, waits);
  if (job.submission) {
    const { resultRoot: root } = job.submission;
    await awaitHost(context, journal, { step: "delivered", endpoint: locator.result, root }, waits);
  }
  const maxBytes = policy.maxBundle;
  const exam =
    job.terms.mode === "exam" ? await fetchExam(context, journal, { job, locator, maxBytes }, options) : null;
  waiting.queued = true;
  using place = await slots.take(options);
  waiting.queued = false;
  const bundle = await fetchBundle(context, journal, { job, locator, maxBytes: policy.maxBundle }, options);
  await holdKept(context, job, bundle.kept, policy);
  const delivered = await openDelivered(
    context,
    journal,
    { job, locator, sessionKey, disk: bundle.spec.resources.disk },
    options,
  );
  const { spec, input } = bundle;
  if (typeof spec.image !== "string" && refuseImage(policy, spec.image, []))
    throw measureFailed("its image is not allowed here");
  const { metric, goal, mode } = spec.verification;
  waiting.queued = true;
  const onWait = () => context.reporter.emit({ kind: "info", text: waitText(spec.resources) });
  await place.hold(spec.resources, { ...options, onWait });
  waiting.queued = false;
  const home = jobFolder(context.jobsDir, "validator", job.id);
  const found = async (): Promise<Finding> => {
    if (delivered === undefined) return NOTHING;
    const { digest, failure } = delivered;
    const examines = mode === "exam" && failure === undefined;
    if (examines && !(await openExam(context, { exam, spec, input, maxBytes }, options))) {
      if (!seatOf(job, context.account)?.drawn) throw measureFailed("its requester does not serve its exam");
      // A requester that hides its exam from those whom the draw chose must not gain by it.
      return { digest, score: job.terms.threshold };
    }
    const image = await ensureImage(context, journal, { spec, input, policy }, options);
    const gpus = await reserveGpus(context, journal, spec.resources, options);
    const work = { spec, image, input, gpus, logBytes: policy.maxLog };
    const score = async (stage: Stage): Promise<bigint> => {
      const measured = await runTask(context, journal, { ...work, stage }, options);
      const cut = cutShort(measured);
      if (cut) throw measureFailed(cut);
      const failure = runFailure(measured, metric);
      if (failure && mode !== "evaluate" && mode !== "exam") throw measureFailed(failure);
      return failure ? WORST_SCORE : toScore(measured.metrics[metric] ?? Number.NaN, goal);
    };
    try {
      if (failure) return await repeatFailure(context, journal, { ...work, failure }, options);
      if (mode === "evaluate" || mode === "exam") {
        const first = await score({ kind: "evaluate", resultDir: home.opened });
        const second = await score({ kind: "evaluate-again", resultDir: home.opened });
        if (!isClear(job, first, second)) throw measureFailed("its metric is not stable");
        return { digest, score: first };
      }
      const own = await score({ kind: "produce" });
      const outputs = await outputsOf(context, journal, options);
      return { digest: await context.parcels.digest(outputs, spec.outputs, options), score: own };
    } finally {
      releaseGpus(context, journal);
    }
  };
  return journal.step("measurement", {
    prepare: async () => ({ ...(await found()), salt: random32() }),
    act: (measurement) => measurement,
  });
}

/**
 * Runs a task again whose provider says that it failed: measures a failed run where it fails in the same way, and what
 * it leaves where it does not, which is a vote against the provider.
 */
async function repeatFailure(
  context: WorkerContext,
  journal: JobJournal,
  { failure, ...work }: Omit<Task, "stage"> & { failure: Failure },
  options: Abortable,
): Promise<Finding> {
  const found = await attempt(context, journal, { ...work, claimed: failure.run, again: false }, options);
  if (!("reason" in found)) return { digest: found.digest, score: 0n };
  const same = found.failure !== undefined && isSameFailure(found.failure, failure);
  if (!same) throw measureFailed(`it failed here in another way: ${found.reason}`);
  return { digest: FAILED_RUN, score: 0n };
}

/**
 * Whether two scores give one vote. Both below the threshold it is a fail either way, unless the provider may have said
 * so; in an exam only the threshold counts.
 */
function isClear({ terms }: Job, first: bigint, second: bigint): boolean {
  const { mode, threshold, effort } = terms;
  const [one, other] = [first >= threshold, second >= threshold];
  if (mode === "exam") return one === other;
  return (effort === 0 && !one && !other) || isStable(terms, first, second);
}

/** Records the measurement of a result that the provider did not serve. */
export function measurementOfNothing(journal: JobJournal): Promise<Measurement> {
  return journal.step("measurement", {
    prepare: () => ({ ...NOTHING, salt: random32() }),
    act: (measurement) => measurement,
  });
}
