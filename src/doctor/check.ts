import type { Abortable } from "../async/abort.ts";
import type { Config } from "../config.ts";
import { IchainError } from "../errors/error.ts";
import type { MarketReader } from "../ports/market.ts";
import type { Sandbox } from "../ports/sandbox.ts";

/** What the checks look at; adapters are opened only by the check that needs them. */
export interface DoctorContext {
  readonly config: Config;
  readonly signal: AbortSignal;
  openSandbox(): Promise<Sandbox>;
  /** What the recipes that come with ichain are to this machine's engine. */
  openRuntimes(): Promise<RuntimeStates>;
  /** Throws what is wrong with the journal. */
  checkJournal(): Promise<void>;
  openReader(): Promise<MarketReader & { stop(): Promise<void> }>;
  /** The configured network's nodes, each looked at on its own. */
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
  /** What the person can do, unless all is well. */
  readonly todo?: string | undefined;
}

export interface Check {
  readonly name: string;
  examine(patient: DoctorContext): Promise<Finding> | Finding;
}

/** Runs one check; an error of ichain's own is a finding, anything else is a defect and thrown. */
export async function examine(
  check: Check,
  patient: DoctorContext,
): Promise<Finding & { readonly name: string }> {
  return { name: check.name, ...(await asFinding(async () => check.examine(patient), patient.signal)) };
}

/** What `work` comes to, or the finding that its expected failure is. */
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

/** True when this machine is to run strangers' tasks, or nobody has said what it is for. */
export function runsTasks({ config }: DoctorContext): boolean {
  return config.role !== "requester";
}

/** A failure for who runs tasks; to a requester it is only worth knowing. */
export function forWorkers(patient: DoctorContext, finding: Finding): Finding {
  return finding.status === "fail" && !runsTasks(patient) ? { ...finding, status: "warn" } : finding;
}
