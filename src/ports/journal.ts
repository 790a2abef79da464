/**
 * One act of a role with effects outside the journal. `prepare` decides everything that the act depends on (keys, nonces,
 * names); its intent is recorded before `act` begins. After a crash `act` is called again with the same intent and must
 * find or finish what it began. The outcome is recorded; later calls return it. Intents and outcomes are JSON values,
 * with bigint and Uint8Array.
 */
export interface Step<Intent, Outcome> {
  prepare(): Promise<Intent> | Intent;
  act(intent: Intent): Promise<Outcome> | Outcome;
}

/** A party's role in a job. */
export type JobRole = "requester" | "provider" | "validator";
/** A party's role in a federated job. */
export type FederatedRole =
  | "federated-requester"
  | "federated-provider"
  | "federated-validator"
  | "federated-panel";
/** `campaign`: an act in a data campaign, or what is hosted for them; its key is no job's. */
export type Role = JobRole | FederatedRole | "campaign" | "account";

/** A piece of a task's output, in order. */
export interface LogPiece {
  /** Counts from 0, without gaps. */
  readonly seq: number;
  /** The run that printed it. */
  readonly stage: string;
  /** Position in the run's whole output at which this piece ends, with what was left out. */
  readonly upto: number;
  readonly text: string;
}

/** What a role recorded of one job, or of the account itself (`account`). */
export interface JobJournal {
  readonly role: Role;
  /** Key of the undertaking: a job id, or a name for an undertaking of the account. */
  readonly key: string;
  step<Intent, Outcome>(name: string, step: Step<Intent, Outcome>): Promise<Outcome>;
  /** The recorded outcome of a step, or undefined. */
  outcome<Outcome>(name: string): Outcome | undefined;
  /** The recorded outcomes of all steps. */
  outcomes(): readonly unknown[];
  /** The recorded intent of a step, or undefined. */
  intent<Intent>(name: string): Intent | undefined;
  /** Names of the steps that were begun, also of those without an outcome yet, whose name begins so. */
  begun(prefix: string): readonly string[];
  /** Adds a line for people, with its time; of very many the newest are kept. */
  note(text: string): void;
  notes(): readonly { at: number; text: string }[];
  /** Adds a piece of the task's output. */
  log(piece: Omit<LogPiece, "seq">): void;
  /** The task's output from piece `from` on, at most `most` pieces. */
  logged(from: number, most: number): readonly LogPiece[];
  /** Marks the undertaking as ended, so that it is not resumed. */
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
  /** Begins the undertaking where it is unknown. */
  open(role: Role, key: string): JobJournal;
  /** One undertaking, if it was ever opened. */
  find(role: Role, key: string): Undertaking | undefined;
  undertakings(filter?: { role?: Role; unfinished?: boolean }): Undertaking[];
  /** True when the journal holds no undertaking. */
  isEmpty(): boolean;
  close(): void;
}
