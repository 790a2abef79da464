import type { EngineKind } from "../config/choices.ts";
import type { Tier } from "../protocol/offer.ts";
import type { CallOptions } from "./run.ts";

/** Of `createClient`; what is left out is as for the command line. */
export interface ClientOptions {
  /** Folder of the configuration and all data; `ICHAIN_HOME` or ~/.config/ichain when absent. */
  readonly home?: string;
  /** The configuration file; config.yaml in the home when absent. */
  readonly config?: string;
  /** A network file, or a name in the home's networks/; what the configuration says when absent. */
  readonly network?: string;
  /**
   * The wallet's password, or what returns it when it is needed; `ICHAIN_PASSWORD` or `ICHAIN_PASSWORD_FILE` when absent.
   * Reading needs none.
   */
  readonly password?: string | (() => string);
  /** Has what calls without an `onEvent` of their own report, and what this client does for posted jobs. */
  readonly onEvent?: CallOptions["onEvent"];
}

/** Who does a job, and the values of its variables. */
export interface JobChoice extends CallOptions {
  /** An account; the best that fits when absent. */
  readonly provider?: string;
  /** Accounts; by chance among the good when absent. */
  readonly validators?: readonly string[];
  /** Values of variables that the job.yaml declares. */
  readonly variables?: Readonly<Record<string, string | number>>;
}

/** Of `submit`. */
export interface SubmitChoice extends JobChoice {
  /** Most that the job may lock, in the smallest unit of its token; it is refused when it would lock more. */
  readonly most?: bigint;
  /** How many providers to ask, the best first, while they decline; 3 when absent. */
  readonly tries?: number;
  /** How often to post the job again, for no more, when its provider gives it back or is lost. */
  readonly failover?: number;
}

/** Of `submitMatrix`. */
export interface MatrixChoice extends SubmitChoice {
  /** Most that the jobs may lock together, in the unit of their token as people write it: `"0.5"`. */
  readonly budget?: string;
  /** How many jobs are posted at once; 4 when absent. */
  readonly atOnce?: number;
}

/** Of `get`. */
export interface GetChoice extends CallOptions {
  /** A folder that does not exist; `result-ID` in the working directory when absent. */
  readonly out?: string;
  /** Leaves the result encrypted, with its key beside it. */
  readonly parcel?: boolean;
  /** Of a federated job: the model that this round made. */
  readonly round?: number;
}

/** Of `providers`. */
export interface ProviderFilter extends CallOptions {
  /** Machines with a GPU alone. */
  readonly gpu?: boolean;
  /** Least mean rating, 1 to 5. */
  readonly minRating?: number;
  /** Highest price of an hour, in coin as people write it: `"0.05"`. */
  readonly maxPrice?: string;
  /** Least isolation of a task from its host. */
  readonly tier?: Tier;
  readonly sort?: "rating" | "price" | "jobs" | "stake";
}

/** Of `provide` and `validate`. */
export interface WorkChoice extends CallOptions {
  /** A policy.yaml; careful defaults when absent. */
  readonly policy?: string;
  /** Stake to hold at least, in coin as people write it; `"1"` when absent. */
  readonly stake?: string;
  readonly engine?: EngineKind;
  /** A name to show beside the account. */
  readonly name?: string;
}

type Value = string | number | bigint | boolean | readonly string[] | undefined;

/** `--name=value` for each that is given; true is a flag by itself, and a list is given value by value. */
export function flagsOf(options: Readonly<Record<string, Value>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === undefined || value === false) return [];
    if (value === true) return [flag];
    return (Array.isArray(value) ? value : [value]).map((one) => `${flag}=${one}`);
  });
}

/** The same of a `JobChoice`. */
export function choiceFlags({ provider, validators, variables = {} }: JobChoice): string[] {
  const variable = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return flagsOf({ provider, validator: validators, variable });
}
