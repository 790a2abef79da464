/**
 * One outside act of a role. `prepare` decides everything that the act depends on (keys, nonces, names)
 * and is recorded before `act` touches the world; after a crash `act` is called again with the same
 * intent and must find or finish what it began. The outcome is recorded and returned ever after.
 * Intents and outcomes are JSON values; bigint and Uint8Array are kept.
 */
export interface Step<Intent, Outcome> {
  prepare(): Promise<Intent> | Intent;
  act(intent: Intent): Promise<Outcome> | Outcome;
}

/** A party's role in a job. */
export type JobRole = "requester" | "provider" | "validator";
export type Role = JobRole | "account";

/** A piece of what a task printed, in the order in which it came. */
export interface LogPiece {
  /** Counts from 0 without gaps. */
  readonly seq: number;
  /** Which run it is of. */
  readonly stage: string;
  /** How far into the run's whole output this piece reaches, what was left out included. */
  readonly upto: number;
  readonly text: string;
}

/** A role's memory of one job (or, for `account`, of the account itself). */
export interface JobJournal {
  readonly role: Role;
  /** Key of the undertaking: a job id, or a name that `submit` draws before the job has one. */
  readonly key: string;
  step<Intent, Outcome>(name: string, step: Step<Intent, Outcome>): Promise<Outcome>;
  /** The recorded outcome of a step, or undefined. */
  outcome<Outcome>(name: string): Outcome | undefined;
  /** The recorded intent of a step, or undefined. */
  intent<Intent>(name: string): Intent | undefined;
  /** A line for people, kept with its time; of very many the newest are kept. */
  note(text: string): void;
  notes(): readonly { at: number; text: string }[];
  /** Adds to the task's output, as it comes. */
  log(piece: Omit<LogPiece, "seq">): void;
  /** The task's output from piece `from` on, at most `most` pieces. */
  logged(from: number, most: number): readonly LogPiece[];
  /** Marks the undertaking ended: it is not resumed any more. */
  finish(result: "done" | "failed"): void;
}

export interface Undertaking {
  readonly role: Role;
  readonly key: string;
  readonly openedAt: number;
  readonly finished: "done" | "failed" | undefined;
  /** Milliseconds since 1970. */
  readonly finishedAt: number | undefined;
}

export interface Journal {
  open(role: Role, key: string): JobJournal;
  /** One undertaking, if it was ever opened. */
  find(role: Role, key: string): Undertaking | undefined;
  undertakings(filter?: { role?: Role; unfinished?: boolean }): Undertaking[];
  /** True when nothing was ever undertaken. */
  isEmpty(): boolean;
  close(): void;
}
