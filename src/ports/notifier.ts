import type { JobId } from "../protocol/ids.ts";

/** What an owner who is not there would want to know. */
export interface Notification {
  /** `needs-you`: nothing goes on until its owner acts. `funds-low` and `disk-full` are of the account, not of a job. */
  readonly event: "done" | "failed" | "needs-you" | "slashed" | "funds-low" | "disk-full";
  readonly job?: JobId | undefined;
  /** One sentence for people. */
  readonly text: string;
}

/** Tells the owner of a daemon. Telling never throws and never waits. */
export interface OwnerNotifier {
  tell(notification: Notification): void;
}
