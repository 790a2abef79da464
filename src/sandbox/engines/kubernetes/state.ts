import type { V1Job, V1Pod } from "@kubernetes/client-node";
import type { ContainerState } from "../engine.ts";

const SIGKILLED = 137;

/** The state of a Job and its pod as that of one container. Pure. */
export function podState(job: V1Job, pod: V1Pod | undefined): ContainerState {
  const labels = job.metadata?.labels ?? {};
  const base = {
    id: job.metadata?.name ?? "",
    exitCode: 0,
    outOfMemory: false,
    startedAt: 0,
    finishedAt: 0,
    labels,
  };
  const task = pod?.status?.containerStatuses?.find(({ name }) => name === "task")?.state;
  if (task?.terminated) {
    const { exitCode, reason, startedAt, finishedAt } = task.terminated;
    const times = { startedAt: unixMs(startedAt), finishedAt: unixMs(finishedAt) };
    return { ...base, ...times, status: "exited", exitCode, outOfMemory: reason === "OOMKilled" };
  }
  // A pod that was deleted, as at a deadline, leaves no exit code.
  const over = job.status?.conditions?.find(
    ({ type, status }) => status === "True" && (type === "Failed" || type === "Complete"),
  );
  if (over) {
    const times = { startedAt: unixMs(job.status?.startTime), finishedAt: unixMs(over.lastTransitionTime) };
    return { ...base, ...times, status: "exited", exitCode: SIGKILLED };
  }
  if (job.spec?.suspend) return { ...base, status: "created" };
  const started = task?.running?.startedAt ?? job.status?.startTime ?? job.metadata?.creationTimestamp;
  return { ...base, status: "running", startedAt: unixMs(started) };
}

function unixMs(time: Date | string | undefined): number {
  return time === undefined ? 0 : new Date(time).getTime();
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** `3920m` → 3.92, `8Gi` → 2^33; 0 for anything else. */
export function kubernetesQuantity(text: string): number {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)([a-zA-Z]{0,2})$/.exec(text) ?? [];
  return digits === undefined ? 0 : Number(digits) * (UNITS[unit] ?? 0);
}
