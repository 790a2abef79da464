import type { Abortable } from "../async/abort.ts";
import type { Content } from "../ports/content.ts";
import type { Journal } from "../ports/journal.ts";
import type { Logger } from "../ports/logger.ts";
import type { Market } from "../ports/market.ts";
import type { OwnerNotifier } from "../ports/notifier.ts";
import type { Keyring, Parcels } from "../ports/parcels.ts";
import type { Reporter } from "../ports/reporter.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import type { Transport } from "../ports/transport.ts";
import type { Budget } from "../protocol/budget.ts";
import type { Address, JobId } from "../protocol/ids.ts";
import type { AuditPolicy } from "../protocol/policy/audit.ts";

/** What every role works with; made by `compose.ts`. */
export interface RoleContext {
  readonly account: Address;
  readonly market: Market;
  readonly transport: Transport;
  readonly parcels: Parcels;
  readonly keyring: Keyring;
  readonly journal: Journal;
  readonly reporter: Reporter;
  /** A daemon's log; silent in commands. */
  readonly logger: Logger;
  /** Parent of the folders of jobs (`jobFolder`). */
  readonly jobsDir: string;
  /**
   * Keeps other processes from acting for the requester of this job.
   * @throws JOB_BUSY
   */
  readonly lockJob: (job: JobId, role?: "requester" | "federated-requester") => Disposable;
  /** What its owner lets it lock in jobs, by token; without any there is no limit. */
  readonly budgets?: readonly { readonly token: Address; readonly budget: Budget }[] | undefined;
  /** Keeps other jobs of this home from being recorded meanwhile, so that two cannot both fit into what is left. */
  readonly lockBudgets?: ((options: Abortable) => Promise<Disposable>) | undefined;
  /** Tells the owner of a daemon. */
  readonly notifier?: OwnerNotifier | undefined;
  /** Public files by their CIDs. */
  readonly content?: Pick<Content, "fetch"> | undefined;
  /** Gateways and nodes that are asked for public rows. */
  readonly sources?: readonly string[] | undefined;
  /** Runs other parties' code. A requester has one when it measures results itself. */
  readonly sandbox?: Sandbox | undefined;
}

/** For roles that run other parties' code. */
export interface WorkerContext extends RoleContext {
  readonly sandbox: Sandbox;
}

/** For the requester's daemon. */
export interface ServerContext extends RoleContext {
  readonly notifier: OwnerNotifier;
  /** When a job that goes to another provider is validated. */
  readonly audit: AuditPolicy;
}

/** The same context for the work on one job: its events and the lines of its log name the job. */
export function forJob<Context extends RoleContext>(context: Context, job: JobId): Context {
  const { reporter, logger } = context;
  return {
    ...context,
    reporter: { emit: (event) => reporter.emit({ ...event, job }) },
    logger: logger.child({ job }),
  };
}
