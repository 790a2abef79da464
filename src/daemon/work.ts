import { readFile, statfs } from "node:fs/promises";
import { type Abortable, linkSignals } from "../async/abort.ts";
import type { EngineKind } from "../config/choices.ts";
import { parseYaml } from "../config/yaml.ts";
import type { AppContext } from "../context.ts";
import { IchainError } from "../errors/error.ts";
import { type OfferDetails, tierAtLeast } from "../protocol/offer.ts";
import { type Policy, policySchema } from "../protocol/policy/policy.ts";
import type { WorkerContext } from "../roles/context.ts";
import { runDaemon } from "../roles/daemon/daemon.ts";
import { describeMachine, publishOffer } from "../roles/daemon/offer.ts";
import { provideDuty } from "../roles/job/provider/run-job.ts";
import { validateDuty } from "../roles/job/validator/validate.ts";
import { keptBenchmark } from "../roles/rehearsal/measure-machine.ts";
import { neededImages } from "../roles/task/ensure-image.ts";
import { trimKept } from "../roles/task/kept/kept-inputs.ts";
import { runId, stages } from "../roles/task/run-task.ts";
import { readTenders } from "../roles/tokens.ts";

export interface WorkOptions {
  readonly policy?: string;
  readonly name?: string;
  readonly engine?: EngineKind;
  /** Wei. */
  readonly stake: bigint;
  /** For the devnet's bad actors. */
  readonly change?: (worker: WorkerContext) => WorkerContext;
}

/**
 * Publishes the offer and works on jobs until the signal aborts; `ichain provide` and `ichain validate` run this.
 * @throws TIER_TOO_WEAK
 * @throws POLICY_UNREADABLE
 * @throws POLICY_INVALID
 * @throws TOKEN_NAME_UNKNOWN
 * @throws TOKEN_UNUSABLE
 */
export async function work(
  context: AppContext,
  roles: { provider: boolean; validator: boolean },
  options: WorkOptions,
): Promise<void> {
  const { ui, signal, config } = context;
  const written = await loadPolicy(options.policy);
  const { openWorker } = await import("../compose.ts");
  await using opened = await openWorker(context, { engine: options.engine });
  const worker = options.change?.(opened) ?? opened;
  const policy = await readTenders(worker.market, written, config.network?.tokens ?? {}, { signal });
  const report = await worker.sandbox.probe({ signal });
  const machine = describeMachine(report, policy, {
    diskBytes: await freeDisk(config.home),
    name: options.name ?? "",
    benchmark: await keptBenchmark(config.home),
  });
  refuseWeakTier(policy, machine);
  await worker.sandbox.sweep(unfinishedRuns(worker), { signal });
  await worker.sandbox.trim({ bytes: policy.imageDisk, keep: neededImages(worker) }, { signal });
  await trimKept(worker, policy);
  await publishOffer(worker, { roles, policy, machine, stake: options.stake }, { signal });
  ui.print(
    { event: "ready", account: worker.account, roles, tier: machine.tier, images: machine.images },
    () => `Ready as ${describeRoles(roles)} ${worker.account}, isolation ${machine.tier}. Ctrl-C stops.`,
  );
  const duties = [
    ...(roles.provider ? [provideDuty(worker, { policy, machine, report })] : []),
    ...(roles.validator ? [validateDuty(worker, { policy, report })] : []),
  ];
  const { account, logger } = worker;
  logger.info("The daemon started", { ...roles, account, tier: machine.tier });
  try {
    await together(
      duties.map((duty) => (abortOptions) => runDaemon(worker, duty, abortOptions)),
      signal,
    );
  } catch (error) {
    if (signal.aborted) logger.info("The daemon was stopped");
    else logger.error("The daemon ended", { error });
    throw error;
  }
}

/**
 * The policy in the file `path`, or the defaults without one.
 * @throws POLICY_UNREADABLE
 * @throws POLICY_INVALID
 */
export async function loadPolicy(path: string | undefined): Promise<Policy> {
  if (path === undefined) return policySchema.parse({});
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new IchainError("POLICY_UNREADABLE", `The policy file ${path} cannot be read.`, { cause });
  });
  return parseYaml({ text, name: path, code: "POLICY_INVALID" }, policySchema);
}

/** Runs all tasks. The first failure stops the others; it is thrown once they have ended. */
async function together(
  tasks: readonly ((abortOptions: Abortable) => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  using abortOptions = linkSignals([signal, stop.signal]);
  const ended = await Promise.allSettled(
    tasks.map((task) =>
      task(abortOptions).catch((error: unknown) => {
        stop.abort();
        throw error;
      }),
    ),
  );
  signal.throwIfAborted();
  for (const one of ended) if (one.status === "rejected") throw one.reason;
}

/** Names of runs whose jobs are continued: the sweep must spare them. */
function unfinishedRuns({ journal }: WorkerContext): Set<string> {
  const open = journal.undertakings({ unfinished: true });
  return new Set(open.flatMap(({ role, key }) => stages.map((stage) => runId(role, key, stage))));
}

function refuseWeakTier(policy: Policy, machine: OfferDetails): void {
  if (tierAtLeast(machine.tier, policy.leastTier)) return;
  throw new IchainError(
    "TIER_TOO_WEAK",
    `Isolation here is ${machine.tier}; the policy wants ${policy.leastTier}.`,
  );
}

/** Free bytes on the disk of `folder`. */
export async function freeDisk(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return Math.min(bavail * bsize, Number.MAX_SAFE_INTEGER);
}

function describeRoles({ provider, validator }: { provider: boolean; validator: boolean }): string {
  return [provider ? "provider" : "", validator ? "validator" : ""].filter(Boolean).join(" and ");
}
