/** Exit codes by class of error; 0 is success, 1 a defect of ichain itself, 130 an interrupt. */
export const exitCodes = {
  internal: 1,
  usage: 2, // bad flags, a malformed job.yaml, unknown names
  config: 3, // no wallet, wrong password, no network configured
  unavailable: 4, // chain, Tor, Docker or a peer cannot be reached
  funds: 5, // not enough coin or stake
  refused: 6, // the contract or the other party refused
  untrusted: 7, // what came from outside failed verification
  failed: 8, // the job ended badly: rejected, refunded, task failure
  interrupted: 130,
} as const;

export type ErrorClass = keyof typeof exitCodes;

/** What all errors of one code have in common. */
export interface CatalogueEntry {
  /** Decides the process's exit code. */
  readonly class: ErrorClass;
  /** One sentence: what a person can do next, where the call knows nothing better. */
  readonly hint: string;
  /** The same call may succeed later without a change by the person. */
  readonly retryable?: true;
}
