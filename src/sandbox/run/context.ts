import type { Limits, SandboxTask } from "../../ports/sandbox.ts";
import type { GpuWay } from "../../protocol/machine/gpus.ts";
import type { Engine, EngineInfo } from "../engines/engine.ts";
import type { OutputSpace } from "../outputs/space.ts";
import type { OciRuntime } from "../policy.ts";

/** What the engine reports about itself, and the runtime chosen from that. */
export interface EngineFacts {
  readonly info: EngineInfo;
  readonly runtime: OciRuntime;
}

/** What a run needs to know before the engine has answered. */
export interface RunConfig {
  readonly engine: Engine;
  readonly instance: string;
  /** Private folder with one folder for each run. */
  readonly runsDir: string;
  readonly ceiling: Limits;
  /** How tasks get GPUs, where the engine is of this machine. */
  readonly gpuWay: GpuWay;
  /** The storage for outputs of the run whose folder is `home`. */
  outSpace(home: string): OutputSpace;
}

export type RunContext = RunConfig & EngineFacts;

/** Whether the task writes its outputs to /out; otherwise it evaluates an earlier result there. */
export function produces({ resultDir }: SandboxTask): boolean {
  return resultDir === undefined;
}
