import type { JobId } from "../protocol/ids.ts";

/** What an owner who is not there would want to know. */
export interface Notification {
  /**
   * `needs-you`: nothing goes on until its owner acts. `disputed`: a strike or a closing of a federated job, and what a
   * panel makes of it. `funds-low` and `disk-full` are of the account, not of a job.
   */
  readonly event: "done" | "failed" | "needs-you" | "disputed" | "slashed" | "funds-low" | "disk-full";
  readonly job?: JobId | undefined;
  /** One sentence for people. */
  readonly text: string;
}

/** Tells the owner of a daemon. Telling never throws and never waits. */
export interface OwnerNotifier {
  tell(notification: Notification): void;
}
