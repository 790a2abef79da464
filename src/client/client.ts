import type { CommandName, OutputOf } from "../commands/output/all.ts";
import type { FollowedEvent } from "./events.ts";
import type {
  GetChoice,
  JobChoice,
  MatrixChoice,
  ProviderFilter,
  SubmitChoice,
  WorkChoice,
} from "./options.ts";
import type { CallOptions } from "./run.ts";

type FieldOf<Union> = Union extends unknown ? keyof Union : never;

/** One of several forms, which may be asked for the fields of the others: it has not got them. */
type OneOf<Union, Fields extends PropertyKey = FieldOf<Union>> = Union extends unknown
  ? Union & { readonly [Name in Exclude<Fields, keyof Union>]?: undefined }
  : never;
type Without<Union, Field extends string> = OneOf<Exclude<Union, Record<Field, unknown>>>;

/** What a job would cost, and the worst of every ending; `federated` tells which of the two forms it has. */
export type JobQuote = Without<OutputOf<"quote">, "prices">;
/** A job as the chain tells it. */
export type JobShown = OutputOf<"jobs">["jobs"][number];
/** A federated job as the chain tells it. */
export type FederatedJobShown = Extract<OutputOf<"job">, { kind: "federated" }>;
/** An opened result: its folder, files, tensors, and what in it is dangerous to load; a federated job's has no list of files. */
export type OpenedResult = Without<OutputOf<"get">, "results">;
/** A job that was posted. */
export interface PostedJob {
  readonly jobId: string;
  readonly state: string;
}

/** A daemon of this process. Disposing ends it, and leaves what the next one carries on. */
export interface RunningDaemon extends AsyncDisposable {
  readonly account: string;
  /**
   * Resolves when its owner has ended it (`ichain drain`, `ichain stop`, disposing).
   * @throws what ended it otherwise
   */
  readonly ended: Promise<void>;
}

/**
 * ichain for programs: each call runs the command of the command line that it is named after, in this process, and
 * resolves with what `--json` prints (docs/reference/json.md), with amounts as bigints. Failures are `IchainError`s with
 * the codes of docs/reference/errors.md. A job is named by its id or the first digits of it. Jobs that a client has
 * posted need somebody who hosts their bundles and appoints their validators: until it is closed that is the client,
 * where no `ichain serve` is.
 */
export interface Client extends AsyncDisposable {
  /** The account's address. */
  address(options?: CallOptions): Promise<string>;
  /** What the account holds, and what the escrow owes it, wei and smallest units of tokens. */
  balances(options?: CallOptions): Promise<OutputOf<"wallet balance">>;
  /** Pays what the escrow owes the account to its payee, of one token (`coin`, a name or an address) or of all. */
  withdraw(
    token?: string,
    options?: CallOptions,
  ): Promise<Without<OutputOf<"wallet withdraw">, "calls">["withdrawn"]>;

  /**
   * The offers on the market, the best rated first.
   * @example const [best] = await client.providers({ gpu: true, maxPrice: "0.05" });
   */
  providers(filter?: ProviderFilter): Promise<OutputOf<"providers">["providers"]>;
  /** What providers ask for an hour, wei, by kind of machine. */
  prices(options?: CallOptions): Promise<Extract<OutputOf<"quote">, { prices: unknown }>["prices"]>;
  /**
   * What a job would cost, by whom it would be done, and the worst that each ending takes.
   * @param file its job.yaml
   * @example const { price, locked, worstLoss } = await client.quote("job.yaml");
   * @throws JOB_INVALID, INPUT_MISSING, NO_PROVIDER
   */
  quote(file: string, options?: JobChoice): Promise<JobQuote>;
  /**
   * Posts a job, to another provider while they decline. Resolves once the money is locked; `follow` tells the rest.
   * @example
   * const { locked } = await client.quote("job.yaml");
   * const { jobId } = await client.submit("job.yaml", { most: locked });
   * @throws JOB_INVALID, NO_PROVIDER, BUDGET_EXCEEDED, FUNDS_TOO_LOW; USAGE for a job.yaml with a matrix
   */
  submit(file: string, options?: SubmitChoice): Promise<PostedJob>;
  /**
   * Posts the jobs of a matrix, or of several files.
   * @example const { cells } = await client.submitMatrix(["sweep.yaml"], { budget: "0.5" });
   * @throws BUDGET_TOO_LOW, FUNDS_TOO_LOW before anything is posted; MATRIX_INCOMPLETE
   */
  submitMatrix(
    files: readonly string[],
    options?: MatrixChoice,
  ): Promise<Extract<OutputOf<"submit">, { cells: unknown }>>;
  /**
   * A job at every change until it is final, and those that are posted in its place; between them what the roles of this
   * home report of it. It ends without an error however the job does: the last event tells.
   * @example
   * for await (const event of client.follow(jobId))
   *   if (event.kind === "job") console.log(event.job.state);
   *   else if (event.kind === "progress") console.log(event.text, event.done, event.total);
   * @throws JOB_UNKNOWN, JOB_AMBIGUOUS
   */
  follow(
    jobId: string,
    options?: Omit<CallOptions, "onEvent">,
  ): AsyncGenerator<FollowedEvent, void, undefined>;
  /**
   * What a job's task printed, in pieces; with `follow` until the task ends.
   * @throws LOG_NOT_HERE
   */
  logs(jobId: string, options?: CallOptions & { follow?: boolean }): AsyncGenerator<string, void, undefined>;
  /**
   * Opens the result of a job that is settled.
   * @example const { folder, files, pickles } = await client.get(jobId, { out: "model" });
   * @throws RESULT_NOT_READY, NO_RESULT, PARCEL_TARGET_OCCUPIED
   */
  get(jobId: string, options?: GetChoice): Promise<OpenedResult>;

  /** The account's jobs in every role, the newest first; final ones too with `all`. */
  jobs(options?: CallOptions & { all?: boolean }): Promise<OutputOf<"jobs">>;
  /** One job: terms, state, measurements. */
  job(jobId: string, options?: CallOptions): Promise<OneOf<OutputOf<"job">>>;
  /** Where a job or a data campaign stands, who must act by when, and what happens then, in sentences. */
  why(jobId: string, options?: CallOptions): Promise<OneOf<OutputOf<"why">>>;
  /** Takes back a job that is not accepted yet. */
  cancel(jobId: string, options?: CallOptions): Promise<PostedJob>;
  /** Ends the run of an accepted job, for the time used, or a federated job after its round. */
  stop(jobId: string, options?: CallOptions): Promise<Without<OutputOf<"stop">, "daemons">>;
  /** Disputes a result that was claimed without validators, or a round of a federated job, the last when absent; for a bond. */
  challenge(jobId: string, options?: CallOptions & { round?: number }): Promise<OutputOf<"challenge">>;
  /** Disputes a rejection, or a strike in a federated job, as its provider, for a bond. */
  appeal(jobId: string, options?: CallOptions): Promise<OutputOf<"appeal">>;
  /** Scores the provider of a job that is over, or one of its validators, from 1 (bad) to 5 (good). */
  rate(
    jobId: string,
    score: number,
    options?: CallOptions & { validator?: string },
  ): Promise<OutputOf<"rate">>;

  /**
   * Takes jobs, runs them in the sandbox and returns results, until disposed of; with `validate` confirms others' results
   * as well. Resolves once the offer is on the market.
   * @example await using provider = await client.provide({ policy: "policy.yaml" });
   * @throws HOME_BUSY, POLICY_INVALID, TIER_TOO_WEAK
   */
  provide(options?: WorkChoice & { validate?: boolean }): Promise<RunningDaemon>;
  /** Confirms others' results for a fee, until disposed of. */
  validate(options?: WorkChoice): Promise<RunningDaemon>;
  /**
   * Acts for this home's posted jobs until disposed of; `submit` starts one where there is none.
   * @throws HOME_BUSY
   */
  serve(options?: CallOptions): Promise<RunningDaemon>;
  /** What each job paid, what gas cost, and what was slashed, since a day (`2026-11-01`) or ever. */
  earnings(options?: CallOptions & { since?: string }): Promise<OutputOf<"earnings">>;
  /** The stake behind the account's offer, wei. */
  stake(options?: CallOptions): Promise<OutputOf<"stake status">>;
  /** What the daemons of this home do, and what they lean on. */
  status(options?: CallOptions): Promise<OutputOf<"status">>;

  /**
   * Any command of the command line, with its arguments and options as words.
   * @example await client.command("stake deposit", ["2"]);
   * @throws USAGE
   */
  command<Name extends CommandName>(
    name: Name,
    words: readonly string[],
    options?: CallOptions,
  ): Promise<OutputOf<Name> | undefined>;
}
