import type { JobId } from "../protocol/ids.ts";

type EventBody =
  /** A step began; its end has the same `id`. */
  | { kind: "start"; id: string; text: string }
  /** `lanes`: of a transfer, bytes per second of each. */
  | { kind: "progress"; id: string; text: string; done?: number; total?: number; lanes?: readonly number[] }
  | { kind: "end"; id: string; text: string }
  | { kind: "fail"; id: string; text: string }
  | { kind: "info"; text: string }
  | { kind: "warn"; text: string };

/** What a role reports while it works: `ui/` shows it on stderr, and the log of a daemon keeps it. */
export type ProgressEvent = EventBody & {
  /** The job that it is about, where one is (`forJob`). */
  readonly job?: JobId | undefined;
};

export interface Reporter {
  emit(event: ProgressEvent): void;
}
