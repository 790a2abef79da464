import type { JobId } from "../protocol/ids.ts";

/** What an owner who is not there would want to know. */
export interface Notification {
  /** `needs-you`: nothing goes on until its owner acts. */
  readonly event: "done" | "failed" | "needs-you";
  readonly job: JobId;
  /** One sentence for people. */
  readonly text: string;
}

/** Tells the owner of a daemon. Telling never throws and never waits. */
export interface OwnerNotifier {
  tell(notification: Notification): void;
}
