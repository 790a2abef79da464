import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { IchainError, isIchainError } from "../../errors.ts";
import type { Limits, RunOptions, SandboxTask, TaskRun } from "../../ports/sandbox.ts";
import type { ContainerState, Engine, EngineImage, EngineInfo } from "../engines/engine.ts";
import { findImage } from "../images.ts";
import { tighten } from "../limits.ts";
import { collect, MAX_OUTPUT_DEPTH, MAX_OUTPUT_FILES } from "../out/collect.ts";
import { partial, placeOutputs } from "../out/place.ts";
import type { OutSpace } from "../out/space.ts";
import { containerName, containerSettings } from "../policy.ts";
import type { OciRuntime } from "../runtimes/choose.ts";
import { type Following, followOutput } from "./follow.ts";
import { makeReadable } from "./lend.ts";
import type { BoundedLog } from "./logs.ts";
import { type RunRecord, readRecord, writeRecord } from "./record.ts";
import { sampleUsage } from "./sampler.ts";
import { type EndedBy, stop, supervise } from "./supervise.ts";
import { type Usage, usageGroup } from "./usage.ts";
import { verdictOf } from "./verdict.ts";

/** A running task that is later than this past its deadline proves that the clock has jumped. */
const CLOCK_SECONDS = 60;

export interface RunContext {
  readonly engine: Engine;
  readonly info: EngineInfo;
  readonly instance: string;
  /** Private folder with one folder for each run. */
  readonly runsDir: string;
  readonly ceiling: Limits;
  readonly runtime: OciRuntime;
  /** The room for outputs of the run with this folder. */
  outSpace(home: string): OutSpace;
}

/**
 * One run, from wherever an earlier call of it came to: a recorded result is returned, a finished
 * container collected, a running one followed, and anything else started from the beginning.
 */
export async function runTask(
  context: RunContext,
  task: SandboxTask,
  options: RunOptions = {},
): Promise<TaskRun> {
  const { engine } = context;
  const { signal } = options;
  const name = containerName(context.instance, task.id);
  const home = join(context.runsDir, task.id);
  const limits = tighten(task.limits, context.ceiling);

  const recorded = await readRecord(home);
  if (recorded !== undefined && (await placeOutputs(task.outputDir, recorded))) {
    await clean(context, name, home);
    return recorded.run;
  }
  // Looked up beside the rest; who takes up a container needs it no more.
  const image = findImage(engine, task.image, { signal });
  image.catch(() => undefined);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const found = await resumable(context, task, name, home, options);
  let output: Following | undefined;
  let sampler: ReturnType<typeof sampleUsage> | undefined;
  let by: EndedBy = "itself";
  try {
    if (found === undefined) await createContainer(context, task, { name, home, limits, image }, options);
    output = await followOutput(engine, name, {
      keepBytes: limits.logBytes,
      onLog: options.onLog,
      replay: found !== undefined,
    });
    if (found === undefined) await engine.start(name, { signal });
    if (found?.status !== "exited")
      sampler = usageGroup(name, context.info) ? undefined : sampleUsage(engine, name);
    if (found?.status !== "exited") {
      const out = task.outputDir === undefined ? undefined : context.outSpace(home);
      by = await supervise(engine, name, {
        seconds: secondsLeft(limits, found),
        signal,
        lookMs: out?.lookMs,
        isFull: () => out?.isFull(limits.diskBytes) ?? Promise.resolve(false),
      });
    }
  } catch (error) {
    output?.cancel();
    sampler?.stop();
    // The engine may come back with the container still running; only what we were told to end is ended.
    const ours = signal?.aborted || !isIchainError(error, "DOCKER_UNAVAILABLE");
    // What cannot be removed now (a runtime that hangs) the next sweep removes; the cause is what counts.
    if (ours) await abandon(context, name, home).catch(() => undefined);
    throw error;
  }
  const log = await output.finish();
  const record = await finish(context, task, {
    name,
    home,
    limits,
    log,
    by,
    signal,
    sampled: sampler?.stop(),
  });
  await placeOutputs(task.outputDir, record);
  await clean(context, name, home);
  return record.run;
}

/** The container of an earlier call, when its work can still be used; otherwise it is removed. */
async function resumable(
  { engine, outSpace }: RunContext,
  task: SandboxTask,
  name: string,
  home: string,
  { signal }: RunOptions,
): Promise<ContainerState | undefined> {
  const state = await engine.inspect(name, { signal });
  if (state === undefined) return undefined;
  const alive = state.status === "running" || (state.status === "exited" && state.startedAt > 0);
  if (alive && (task.outputDir === undefined || (await outSpace(home).revive({ signal })))) return state;
  await engine.remove(name, { signal });
  return undefined;
}

async function createContainer(
  { engine, info, instance, runtime, outSpace }: RunContext,
  task: SandboxTask,
  { name, home, limits, image }: { name: string; home: string; limits: Limits; image: Promise<EngineImage> },
  { signal }: RunOptions,
): Promise<void> {
  const out = outSpace(home);
  const group = usageGroup(name, info);
  const { id: imageId } = await image;
  await Promise.all([
    makeReadable(task.inputDir, { signal }),
    task.resultDir === undefined ? undefined : makeReadable(task.resultDir, { signal }),
    task.outputDir === undefined ? undefined : out.clear(),
    group?.create(),
  ]);
  const settings = containerSettings(task, {
    instance,
    imageId,
    limits,
    outDir: task.outputDir === undefined ? undefined : out.dir,
    runtime,
    cgroupParent: group?.parent,
    deadline: Math.ceil(Date.now() / 1000) + limits.wallSeconds,
  });
  // The container needs the folder now and its content only at the start.
  const making = [
    engine.create(name, settings, { signal }),
    task.outputDir === undefined ? undefined : out.create(limits.diskBytes, { signal }),
  ];
  await Promise.allSettled(making); // neither may go on while the other's failure is cleaned up
  await Promise.all(making);
}

interface Ended {
  readonly name: string;
  readonly home: string;
  readonly limits: Limits;
  readonly log: BoundedLog;
  readonly by: EndedBy;
  readonly signal: AbortSignal | undefined;
  readonly sampled: Usage | undefined;
}

/** Judges the ended container, collects its outputs beside their place, and records the result. */
async function finish(context: RunContext, task: SandboxTask, at: Ended): Promise<RunRecord> {
  const { engine, info } = context;
  const { name, home, limits, log, signal } = at;
  const state = await engine.inspect(name, { signal });
  if (state === undefined) throw lost(task.id);
  const used = (await usageGroup(name, info)?.read()) ?? at.sampled ?? { cpuSeconds: 0, peakMemoryBytes: 0 };
  // The outer group's peak counts what the runtime needed to start the container as well.
  const usage = { ...used, peakMemoryBytes: Math.min(used.peakMemoryBytes, limits.memoryBytes) };
  const out = context.outSpace(home);
  const diskFull = task.outputDir !== undefined && (await out.isFull(limits.diskBytes));
  let ended = verdictOf(state, { limits, by: at.by, diskFull, peakMemoryBytes: usage.peakMemoryBytes });
  let said = "";
  let outputs: RunRecord["outputs"];
  if (ended === "exit" && state.exitCode === 0 && task.outputDir !== undefined) {
    try {
      await rm(partial(task.outputDir), { recursive: true, force: true });
      await engine.fetch?.(name, { signal });
      const bounds = { maxBytes: limits.diskBytes, maxFiles: MAX_OUTPUT_FILES, maxDepth: MAX_OUTPUT_DEPTH };
      outputs = await collect(out.dir, partial(task.outputDir), bounds, { signal });
    } catch (error) {
      await rm(partial(task.outputDir), { recursive: true, force: true });
      if (!isIchainError(error) || error.class !== "untrusted") throw error;
      ended = error.code === "OUTPUT_TOO_LARGE" ? "disk" : "output";
      said = `\n${error.message}\n`;
    }
  }
  const run: TaskRun = {
    exitCode: state.exitCode,
    ended,
    log: log.text() + said,
    logTruncated: log.truncated,
    wallSeconds: Math.max(0, state.finishedAt - state.startedAt) / 1000,
    ...usage,
  };
  const record = { run, outputs };
  await writeRecord(home, record);
  return record;
}

/** What a finished run holds of the machine; its record stays until the sweep. */
async function clean({ engine, info, outSpace }: RunContext, name: string, home: string): Promise<void> {
  await Promise.all([engine.remove(name), outSpace(home).destroy()]);
  await usageGroup(name, info)?.remove();
}

/** Everything that a run holds of the machine, when it will not be finished. */
async function abandon(context: RunContext, name: string, home: string): Promise<void> {
  await stop(context.engine, name).catch(() => undefined); // removed by force in the next line
  await clean(context, name, home);
  await rm(home, { recursive: true, force: true });
}

function secondsLeft(limits: Limits, found: ContainerState | undefined): number {
  if (found === undefined) return limits.wallSeconds;
  const left = limits.wallSeconds - (Date.now() - found.startedAt) / 1000;
  // The deadline inside has a timer and no clock. Who runs long past it has not overslept: the clock was
  // set. And one that was set back gives nobody more than the limit.
  return left < -CLOCK_SECONDS ? limits.wallSeconds : Math.min(limits.wallSeconds, left);
}

function lost(id: string): IchainError {
  return new IchainError(`The container of the run ${id} was removed by somebody else.`, {
    code: "RUN_LOST",
    class: "unavailable",
    hint: "Run it again; leave containers named ichain-… alone.",
    retryable: true,
  });
}
