import { join } from "node:path";
import type { Limits, RuntimeImage, Sandbox, SandboxTask, TaskRun } from "../../src/ports/sandbox.ts";
import { dockerEngine } from "../../src/sandbox/engines/docker.ts";
import type { Engine, EngineImage } from "../../src/sandbox/engines/engine.ts";
import { buildRuntime, findRuntime } from "../../src/sandbox/runtimes/build.ts";
import { createSandbox, DEFAULT_SOCKET } from "../../src/sandbox/sandbox.ts";

export interface SandboxSetup {
  readonly folder: string;
  readonly engine: Engine;
  readonly sandbox: Sandbox;
  readonly image: RuntimeImage;
  readonly held: EngineImage;
  task(command: readonly string[], limits?: Partial<Limits>): SandboxTask;
  /** Runs and discards the task and returns the seconds of both calls; throws unless it exited with 0. */
  run(task: SandboxTask): Promise<{ run: TaskRun; seconds: number; discardSeconds: number }>;
}

const usual: Limits = {
  cpus: 2,
  memoryBytes: 2 ** 30,
  diskBytes: 2 ** 28,
  wallSeconds: 600,
  pids: 128,
  logBytes: 2 ** 20,
};
let count = 0;

/** Builds the runtime where it is not held. */
export async function createSetup(folder: string, runtime: string): Promise<SandboxSetup> {
  const engine = dockerEngine({ socketPath: DEFAULT_SOCKET });
  const image = await buildRuntime(engine, runtime);
  const held = await findRuntime(engine, runtime);
  if (held === undefined) throw new Error(`there is no image of ${runtime}`);
  const sandbox = createSandbox({ stateDir: join(folder, "state"), instance: `bench-${process.pid}` });
  return {
    folder,
    engine,
    sandbox,
    image,
    held,
    task: (command, limits = {}) => ({
      id: `run-${count++}`,
      image: image.digest,
      command,
      inputDir: join(folder, "in"),
      limits: { ...usual, ...limits },
      gpus: [],
    }),
    async run(task) {
      const begin = performance.now();
      const run = await sandbox.run(task);
      const seconds = (performance.now() - begin) / 1000;
      await sandbox.discard(task.id);
      const discardSeconds = (performance.now() - begin) / 1000 - seconds;
      if (run.ended !== "exit" || run.exitCode !== 0) throw new Error(JSON.stringify(run));
      return { run, seconds, discardSeconds };
    },
  };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

export function round(value: number, digits = 3): number {
  return Number(value.toFixed(digits));
}
