import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import type { RuntimeImage } from "../../ports/sandbox.ts";
import type { Hex } from "../../protocol/ids.ts";
import { MAX_FILES } from "../../protocol/limits.ts";
import { policySchema } from "../../protocol/policy/policy.ts";
import { refuseLimits } from "../../protocol/policy/resources.ts";
import { CHECKPOINT_FOLDER } from "../../protocol/task/checkpoint.ts";
import { isStable, ruleOf, type Vote, voteOf } from "../../protocol/task/judgement.ts";
import { toScore } from "../../protocol/task/metric.ts";
import { readMetrics } from "../../protocol/task/metrics-log.ts";
import { EXAM_FOLDER, type JobFile, pinImage, type Spec, specOf } from "../../protocol/task/spec.ts";
import type { WorkerContext } from "../context.ts";
import { refuseOwn } from "../job/requester/posting/refuse-own.ts";
import { undeliverableFault } from "../task/attempt.ts";
import {
  exitFailure,
  type Measured,
  runFailure,
  runId,
  type Stage,
  stages,
  type Task,
  taskOf,
} from "../task/run-task.ts";

/** A provider's policy may be stricter. */
const usual = policySchema.parse({});

/** For an image in the requester's own bundle. */
const IMAGE_BOUNDS = { maxBytes: 2 ** 35, seconds: 3600, memoryBytes: 2 ** 32, cpus: 64 };

/** One run of the task, as it is told to people. */
export interface RehearsedRun extends Measured {
  /** Whose run it would be. */
  readonly by: "provider" | "validator";
  readonly argument: "0" | "1";
  /** Number of the checkpoint that it went on from. */
  readonly checkpoint?: number | undefined;
}

export interface Rehearsal {
  /** What a validator would vote; undefined where the task yields nothing to vote on, for `reason`. */
  readonly vote: Vote | undefined;
  /** Why the vote is not `pass`, in words. */
  readonly reason: string | undefined;
  /** The validator's measurement of the metric. */
  readonly value: number | undefined;
  readonly runs: readonly RehearsedRun[];
  /** Number of the last checkpoint that the task left; undefined where it left none, or the job asks for none. */
  readonly checkpoint: number | undefined;
  /** Folder with the result as a validator opens it, below `dir`; undefined where there is none. */
  readonly result: string | undefined;
}

export interface RehearsalRequest {
  readonly file: JobFile;
  /** Folder of job.yaml. */
  readonly folder: string;
  /** Private folder for everything that is written, to be removed by the caller. */
  readonly dir: string;
  /** 32 bytes that name the runs. */
  readonly key: Hex;
  /** Told before each run. */
  onRun(run: Pick<RehearsedRun, "by" | "argument" | "checkpoint">): void;
  onLog(text: string): void;
}

/** What a rehearsal needs of a worker: no chain, no wallet. */
export type RehearsalContext = Pick<WorkerContext, "sandbox" | "parcels">;

/** Names of a rehearsal's runs, for `Sandbox.sweep`. */
export const rehearsalRuns = (key: Hex): string[] => stages.map((stage) => runId("local", key, stage));

/**
 * Runs a job on its requester's own machine: makes the result as a provider does and measures it as a validator does,
 * from the same packed files, within the same limits.
 * @throws IMAGE_UNKNOWN, GPU_ABSENT, METRIC_OUT_OF_RANGE, the codes of `refuseLimits` and of the sandbox
 */
export async function rehearse(
  context: RehearsalContext,
  request: RehearsalRequest,
  options: Abortable,
): Promise<Rehearsal> {
  const { sandbox } = context;
  const { file, folder, dir, key } = request;
  const { images } = await sandbox.probe(options);
  const find = (wanted: string) => images.find(({ name, digest }) => wanted === name || wanted === digest);
  const pinned = pinImage(file.image, (wanted) => find(wanted)?.digest);
  if (pinned === undefined) throw imageNotHeld(file.image, images);
  const spec = specOf(file, pinned);
  refuseOwn(refuseLimits(spec));
  try {
    const gpus = await sandbox.reserve(
      reservation(key),
      { count: spec.resources.gpus, demand: spec.resources.gpu },
      options,
    );
    const input = join(dir, "in");
    await carry(
      context,
      { root: folder, paths: file.inputs, parcel: join(dir, "bundle"), into: input },
      options,
    );
    const image =
      typeof spec.image === "string"
        ? spec.image
        : await sandbox.prepare(
            "oci" in spec.image ? spec.image : { dir: input, ...spec.image },
            IMAGE_BOUNDS,
            options,
          );
    return await runAll(context, request, { spec, image, input, gpus, logBytes: usual.maxLog }, options);
  } finally {
    sandbox.release(reservation(key));
    // What cannot be freed now is found by the sweep of the next rehearsal.
    for (const id of rehearsalRuns(key)) await sandbox.discard(id).catch(() => undefined);
  }
}

const reservation = (key: Hex): string => `local-${key}`;

async function runAll(
  context: RehearsalContext,
  { file, folder, dir, key, onRun, onLog }: RehearsalRequest,
  place: Omit<Task, "stage">,
  options: Abortable,
): Promise<Rehearsal> {
  const { sandbox, parcels } = context;
  const { spec, input } = place;
  const { mode, metric } = spec.verification;
  const runs: RehearsedRun[] = [];
  const idOf = (name: (typeof stages)[number]) => runId("local", key, name);
  let checkpoint: number | undefined;
  const run = async (by: RehearsedRun["by"], name: (typeof stages)[number], stage: Stage, from?: number) => {
    const argument = "resultDir" in stage ? "1" : "0";
    const who = { by, argument, ...(from !== undefined && { checkpoint: from }) } as const;
    onRun(who);
    const ended = await sandbox.run(taskOf(spec, { id: idOf(name), ...place, stage }), { ...options, onLog });
    const done: RehearsedRun = { ...who, run: ended, metrics: readMetrics(ended.log) };
    runs.push(done);
    return done;
  };
  let result: string | undefined;
  const failed = (reason: string): Rehearsal => ({
    ...{ vote: undefined, reason, value: undefined, runs, checkpoint, result },
  });

  const repeats = mode === "replicate" || mode === "digest";
  const produced = await run("provider", "produce", { kind: "produce" });
  const early = repeats ? runFailure(produced, metric) : exitFailure(produced);
  if (early) return failed(early);
  const outputs = await sandbox.outputs(idOf("produce"), options);
  const resultDir = join(dir, "result");
  const delivery = { root: outputs, paths: spec.outputs, parcel: join(dir, "delivery"), into: resultDir };
  const delivered = await carry(context, delivery, options).then(
    (digest) => ({ digest }),
    undeliverableFault,
  );
  if ("reason" in delivered) return failed(delivered.reason);
  result = resultDir;
  if (spec.resources.checkpoint !== undefined) {
    const into = join(dir, CHECKPOINT_FOLDER);
    const wanted = { after: undefined, into, maxBytes: spec.resources.checkpoint };
    checkpoint = await sandbox.checkpoint(idOf("produce"), wanted, options);
    if (checkpoint !== undefined) {
      // As another provider would go on from it, were this one lost now.
      await mkdir(join(input, CHECKPOINT_FOLDER));
      await rename(into, join(input, CHECKPOINT_FOLDER, String(checkpoint)));
      const resumed = await run("provider", "produce-again", { kind: "produce-again" }, checkpoint);
      await rm(join(input, CHECKPOINT_FOLDER), { recursive: true });
      const stuck = exitFailure(resumed);
      if (stuck) return failed(`going on from its checkpoint ${checkpoint}, ${stuck}`);
    }
  }

  const providers = { digest: delivered.digest, score: 0n };
  const own = { ...providers };
  let validated: RehearsedRun;
  if (repeats) {
    validated = await run("validator", "evaluate", { kind: "produce" });
    const failure = runFailure(validated, metric);
    if (failure) return failed(`run once more, ${failure}`);
    providers.score = scoreOf(spec, produced);
    own.digest = await parcels.digest(
      await sandbox.outputs(idOf("evaluate"), options),
      spec.outputs,
      options,
    );
    own.score = scoreOf(spec, validated);
  } else {
    const exam = file.verification.inputs;
    if (exam) {
      const into = join(input, EXAM_FOLDER);
      await carry(context, { root: folder, paths: exam, parcel: join(dir, "exam"), into }, options);
    }
    validated = await run("validator", "evaluate", { kind: "evaluate", resultDir });
    const failure = runFailure(validated, metric);
    if (failure) return failed(`measuring the result, ${failure}`);
    const again = await run("validator", "evaluate-again", { kind: "evaluate-again", resultDir });
    const differs = runFailure(again, metric) ?? unsteady(spec, validated, again);
    if (differs) return failed(differs);
    const first = scoreOf(spec, validated);
    [own.score, providers.score] = [first, first];
  }
  const vote = voteOf(ruleOf(spec.verification), own, providers);
  const value = validated.metrics[metric];
  return {
    vote,
    reason: reasonOf(spec, vote, { first: produced.metrics[metric], value }),
    value,
    runs,
    checkpoint,
    result,
  };
}

function scoreOf({ verification: { metric, goal } }: Spec, { metrics }: Measured): bigint {
  return toScore(metrics[metric] ?? Number.NaN, goal);
}

/** Why two measurements of one result are no basis for a vote. */
function unsteady(spec: Spec, one: Measured, other: Measured): string | undefined {
  const { mode, metric } = spec.verification;
  const rule = ruleOf(spec.verification);
  const [first, second] = [scoreOf(spec, one), scoreOf(spec, other)];
  // In an exam only the threshold counts.
  const reaches = (score: bigint) => score >= rule.threshold;
  const steady = mode === "exam" ? reaches(first) === reaches(second) : isStable(rule, first, second);
  return steady
    ? undefined
    : `its ${metric} is not stable: ${one.metrics[metric]}, then ${other.metrics[metric]}`;
}

function reasonOf(
  { verification: { mode, metric, threshold } }: Spec,
  vote: Vote,
  { first, value }: { first: number | undefined; value: number | undefined },
): string | undefined {
  if (vote === "pass") return undefined;
  if (vote === "unmet") return `its ${metric} is ${value}, and the threshold is ${threshold}`;
  if (mode === "digest") return "two runs of it left different files";
  return `two runs of it differ by more than the tolerance: ${metric} is ${first}, then ${value}`;
}

/** Packs files and opens them elsewhere, so that they are what would arrive at another machine; their digest. */
async function carry(
  { parcels }: RehearsalContext,
  { root, paths, parcel, into }: { root: string; paths: readonly string[]; parcel: string; into: string },
  options: Abortable,
): Promise<Hex> {
  const { blob, sessionKey, digest } = await parcels.pack({ root, paths, out: parcel }, options);
  const limits = { maxBytes: Number.MAX_SAFE_INTEGER, maxFiles: MAX_FILES };
  await parcels.open({ blob, sessionKey, into, limits }, options);
  return digest;
}

function imageNotHeld(image: JobFile["image"], held: readonly RuntimeImage[]): IchainError {
  const name = typeof image === "string" ? image : "of the job";
  const names = held.length === 0 ? "none" : held.map((one) => one.name).join(", ");
  return new IchainError("IMAGE_UNKNOWN", `This machine does not hold the image "${name}".`, {
    hint: `It holds ${names}; "ichain runtime build NAME" builds a runtime, as root.`,
  });
}
