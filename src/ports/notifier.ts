import type { Abortable } from "../async/abort.ts";
import type { Hex, JobId } from "../protocol/ids.ts";

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

/** What a validator is asked about a fix in a data campaign; all texts are strangers'. */
export interface FixQuestion {
  readonly campaign: Hex;
  /** What a row is, and when one is wrong, as the campaign's owner says it. */
  readonly about: string | undefined;
  readonly entry: number;
  readonly row: number;
  readonly fix: number;
  /** How many rows the entry's data has, and the row in question; absent where its author does not show them. */
  readonly rows: number | undefined;
  readonly original: string | undefined;
  /** The fix says that the data has no such row. */
  readonly isAbsent: boolean;
  /** What takes the row's place; absent where it is removed. */
  readonly corrected: string | undefined;
}

/** Answers for an owner who is away: whether the fix is right; undefined leaves it to the owner. */
export type OwnerProgram = (question: FixQuestion, options: Abortable) => Promise<boolean | undefined>;
