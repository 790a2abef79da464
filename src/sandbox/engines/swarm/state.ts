import type { ContainerState } from "../engine.ts";

/** Labels of a stopped service with its times (Unix ms), which Swarm drops together with the task. */
export const ENDED_LABEL = "ichain.ended";
export const STARTED_LABEL = "ichain.started";

const SIGKILLED = 137;

/** The fields of a service in Docker's API that are used here. */
export interface Service {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: {
    readonly Name: string;
    readonly Labels?: Readonly<Record<string, string>>;
    readonly TaskTemplate: { readonly ContainerSpec: { readonly Image: string } };
    readonly Mode: { readonly ReplicatedJob?: { readonly TotalCompletions?: number } };
  };
}

export interface SwarmTask {
  readonly ID: string;
  readonly NodeID?: string;
  readonly CreatedAt: string;
  readonly DesiredState: string;
  readonly Status: {
    readonly Timestamp: string;
    readonly State: string;
    readonly Err?: string;
    readonly ContainerStatus?: { readonly ContainerID?: string; readonly ExitCode?: number };
  };
}

const OVER = new Set(["complete", "failed", "shutdown", "rejected", "orphaned", "remove"]);

/** Whether a task has ended or will never run. */
export function isOver({ Status }: SwarmTask): boolean {
  return OVER.has(Status.State);
}

/**
 * The state of a service and its newest task as that of one container. Pure. Times are Swarm's: the start is the
 * creation of the task, the end is when its node reported it.
 */
export function serviceState({ ID, Spec }: Service, task: SwarmTask | undefined): ContainerState {
  const labels = Spec.Labels ?? {};
  const base = { id: ID, exitCode: 0, outOfMemory: false, startedAt: 0, finishedAt: 0, labels };
  const ended = Number(labels[ENDED_LABEL] ?? 0);
  if (task === undefined || task.DesiredState === "remove") {
    if (ended === 0) return { ...base, status: "created" };
    const startedAt = Number(labels[STARTED_LABEL] ?? 0);
    const over = task === undefined || isOver(task);
    return over
      ? { ...base, status: "exited", exitCode: SIGKILLED, startedAt, finishedAt: ended }
      : { ...base, status: "running", startedAt };
  }
  const startedAt = Date.parse(task.CreatedAt);
  if (!isOver(task)) return { ...base, status: "running", startedAt };
  const exitCode = task.Status.ContainerStatus?.ExitCode;
  const exited = task.Status.State === "complete" || task.Status.State === "failed";
  if (!exited || exitCode === undefined || !task.Status.ContainerStatus?.ContainerID) {
    return { ...base, status: "other" };
  }
  return { ...base, status: "exited", exitCode, startedAt, finishedAt: Date.parse(task.Status.Timestamp) };
}
