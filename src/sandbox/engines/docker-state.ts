import type Docker from "dockerode";
import type { ContainerState, Sample } from "./engine.ts";

/** The state in an answer to `GET /containers/{id}/json`. */
export function stateOf({ Id, State, Config }: Docker.ContainerInspectInfo): ContainerState {
  const known = State.Status === "created" || State.Status === "running" || State.Status === "exited";
  return {
    id: Id,
    status: known ? (State.Status as ContainerState["status"]) : "other",
    exitCode: State.ExitCode,
    outOfMemory: State.OOMKilled,
    startedAt: Math.max(0, Date.parse(State.StartedAt)),
    finishedAt: Math.max(0, Date.parse(State.FinishedAt)),
    labels: Config.Labels ?? {},
  };
}

/** One sample of `GET /containers/{id}/stats`. */
export function sampleOf(stats: Docker.ContainerStats): Sample {
  return {
    cpuSeconds: (stats.cpu_stats?.cpu_usage?.total_usage ?? 0) / 1e9,
    memoryBytes: stats.memory_stats?.max_usage ?? stats.memory_stats?.usage ?? 0,
  };
}
