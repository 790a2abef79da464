import type { Limits, SandboxTask } from "../../ports/sandbox.ts";
import type { Engine, EngineInfo } from "../engines/engine.ts";
import type { OutputSpace } from "../outputs/space.ts";
import type { OciRuntime } from "../policy.ts";

/** What an engine says of itself, and what a run makes of it. */
export interface EngineFacts {
  readonly info: EngineInfo;
  readonly runtime: OciRuntime;
}

/** All that a run needs to know but for the engine's answer. */
export interface RunConfig {
  readonly engine: Engine;
  readonly instance: string;
  /** Private folder with one folder for each run. */
  readonly runsDir: string;
  readonly ceiling: Limits;
  /** The room for outputs of the run with this folder. */
  outSpace(home: string): OutputSpace;
}

export type RunContext = RunConfig & EngineFacts;

/** Whether the task writes to /out, and does not look at what is there. */
export function produces({ resultDir }: SandboxTask): boolean {
  return resultDir === undefined;
}
