import type { Abortable } from "../async/abort.ts";
import type { Config } from "../config.ts";
import { IchainError } from "../errors/error.ts";
import type { MarketReader } from "../ports/market.ts";
import type { Sandbox } from "../ports/sandbox.ts";

/** What checks are given; each adapter is opened by the check that needs it. */
export interface DoctorContext {
  readonly config: Config;
  readonly signal: AbortSignal;
  openSandbox(): Promise<Sandbox>;
  /** The runtime recipes of ichain, as this machine's engine has them. */
  openRuntimes(): Promise<RuntimeStates>;
  /** @throws the codes of `openSqlite` */
  checkJournal(): Promise<void>;
  openReader(): Promise<MarketReader & { stop(): Promise<void> }>;
  /** The configured network's nodes, each examined by itself. */
  examineNodes(): Promise<NodeState[]>;
}

export interface NodeState {
  readonly host: string;
  /** Undefined when it gives no usable answer. */
  readonly chainId: number | undefined;
  /** Its newest block's time, Unix seconds. */
  readonly headTime: number | undefined;
  /** It has the block that most others have. */
  readonly agrees: boolean | undefined;
}

export interface RuntimeStates {
  names(): Promise<string[]>;
  check(
    name: string,
    options: Abortable,
  ): Promise<{ state: "ready" | "absent" | "stale" | "refused"; bytes: number | undefined }>;
}

export interface Finding {
  readonly status: "ok" | "warn" | "fail";
  /** What was found, in a few words. */
  readonly found: string;
  /** What the person can do, unless the status is ok. */
  readonly todo?: string | undefined;
}

export interface Check {
  readonly name: string;
  examine(context: DoctorContext): Promise<Finding> | Finding;
}

/** Runs one check. An `IchainError` becomes a finding; any other error is a defect and is thrown. */
export async function examine(
  check: Check,
  context: DoctorContext,
): Promise<Finding & { readonly name: string }> {
  return { name: check.name, ...(await asFinding(async () => check.examine(context), context.signal)) };
}

/** The value of `work`, or its `IchainError` as a finding. */
export async function asFinding<Value extends object>(
  work: () => Promise<Value>,
  signal: AbortSignal,
): Promise<Value | Finding> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof IchainError) || error.class === "internal") throw error;
    return { status: "fail", found: error.message, todo: error.hint };
  }
}

/** True unless this machine's configured role is requester. */
export function runsTasks({ config }: DoctorContext): boolean {
  return config.role !== "requester";
}

/** A failure where tasks are run; for a requester only a warning. */
export function forWorkers(context: DoctorContext, finding: Finding): Finding {
  return finding.status === "fail" && !runsTasks(context) ? { ...finding, status: "warn" } : finding;
}
