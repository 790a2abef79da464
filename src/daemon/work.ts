import { readFile } from "node:fs/promises";
import { type Abortable, together } from "../async/abort.ts";
import type { DaemonContext } from "../compose.ts";
import type { EngineKind } from "../config/choices.ts";
import { parseYaml } from "../config/yaml.ts";
import type { AppContext } from "../context.ts";
import { IchainError } from "../errors/error.ts";
import { type OfferDetails, tierAtLeast } from "../protocol/offer.ts";
import { type Policy, policySchema } from "../protocol/policy/policy.ts";
import { sitInImprovements } from "../roles/campaign/market/improvement/sit.ts";
import { sitInCampaigns } from "../roles/campaign/market/panel/sit.ts";
import type { WorkerContext } from "../roles/context.ts";
import { runDaemon } from "../roles/daemon/daemon.ts";
import { describeMachine, publishOffer } from "../roles/daemon/offer.ts";
import { openMachine } from "../roles/daemon/slots.ts";
import { tellingOwner } from "../roles/daemon/tell-owner.ts";
import { panelDuty } from "../roles/federated/market/panel/sit.ts";
import { federatedProviderDuty } from "../roles/federated/market/provider/take-part.ts";
import { seatDuty } from "../roles/federated/market/seat/serve-seat.ts";
import { begunRuns } from "../roles/federated/market/train.ts";
import { provideDuty, setupOf } from "../roles/job/provider/run-job.ts";
import { validateDuty } from "../roles/job/validator/validate.ts";
import { keptBenchmark } from "../roles/rehearsal/measure-machine.ts";
import { neededImages } from "../roles/task/ensure-image.ts";
import { openDiskBudget } from "../roles/task/kept/disk-budget.ts";
import { trimKept } from "../roles/task/kept/kept-inputs.ts";
import { runId, stages } from "../roles/task/run-task.ts";
import { readTenders } from "../roles/tokens.ts";
import { programVersion } from "../version.ts";
import { freeDisk } from "./health.ts";
import { asDaemon, viewOf } from "./run.ts";
import { watchHealth } from "./watch-health.ts";

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
 * @throws HOME_BUSY, LOG_UNWRITABLE
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
  // Before the home is taken: a policy that cannot be read needs no daemon.
  const written = await loadPolicy(options.policy);
  await asDaemon(context, "worker", (daemon) => workAs(daemon, roles, written, options));
}

async function workAs(
  daemon: DaemonContext,
  roles: { provider: boolean; validator: boolean },
  written: Policy,
  options: WorkOptions,
): Promise<void> {
  const { ui, signal, config, control, logger } = daemon;
  const { openWorker, readPeerChain } = await import("../compose.ts");
  await using opened = await openWorker(daemon, { engine: options.engine });
  const worker = options.change?.(opened) ?? opened;
  const report = await worker.sandbox.probe({ signal });
  const { limit } = config.disk;
  const published = async (one: Policy) => {
    const policy = await readTenders(worker.market, one, config.network?.tokens ?? {}, { signal });
    const machine = describeMachine(report, policy, {
      diskBytes: Math.min(await freeDisk(config.home), limit ?? Number.POSITIVE_INFINITY),
      name: options.name ?? "",
      benchmark: await keptBenchmark(config.home),
    });
    refuseWeakTier(policy, machine);
    return {
      policy,
      machine,
      publish: () => publishOffer(worker, { roles, policy, machine, stake: options.stake }, { signal }),
    };
  };
  const first = await published(written);
  await worker.sandbox.sweep(unfinishedRuns(worker), { signal });
  await worker.sandbox.trim({ bytes: first.policy.imageDisk, keep: neededImages(worker) }, { signal });
  await trimKept(worker, first.policy);
  await first.publish();
  const { account } = worker;
  const { machine } = first;
  const disk =
    limit === undefined ? undefined : openDiskBudget({ home: config.home, jobsDir: worker.jobsDir, limit });
  const { cpus, memoryBytes: memory } = report.together ?? report;
  const whole = openMachine({ cpus, memory });
  const setup = {
    ...{ policy: first.policy, machine, report, disk, readChain: readPeerChain },
    get draining() {
      return control.draining.aborted;
    },
  };
  const providing = setupOf(setup, whole);
  const duties = [
    ...(roles.provider ? [provideDuty(worker, providing)] : []),
    ...(roles.validator ? [validateDuty(worker, setup, whole)] : []),
  ].map((duty) => tellingOwner(worker, opened.notifier, duty));
  const knowsFederated = config.network?.contracts.federated !== undefined;
  const federated = [
    ...(roles.provider && knowsFederated
      ? [federatedProviderDuty({ ...worker, notifier: opened.notifier }, providing)]
      : []),
    ...(roles.validator && knowsFederated
      ? [seatDuty(worker, setup, whole), panelDuty(worker, setup, whole)]
      : []),
  ];
  const sitsInCampaigns = roles.validator && config.network?.contracts.campaigns !== undefined;
  const replays = roles.validator && config.network?.contracts.improvements !== undefined;
  const panelist = { ...worker, notifier: opened.notifier, judge: opened.judge };
  const reload = async () => {
    if (options.policy === undefined) throw noPolicyFile();
    const next = await published(await loadPolicy(options.policy));
    await next.publish();
    Object.assign(setup, { policy: next.policy, machine: next.machine });
    for (const duty of [...duties, ...federated]) duty.policyChanged?.();
    worker.reporter.emit({ kind: "info", text: "The policy is read again" });
  };
  const shown = [
    ...(roles.provider ? (["provider"] as const) : []),
    ...(roles.validator ? (["validator"] as const) : []),
  ];
  const view = viewOf(worker, { config, disk, roles: shown, reload });
  control.show(view);
  ui.print(
    { event: "ready", account, roles, tier: machine.tier, images: machine.images },
    () => `Ready as ${describeRoles(roles)} ${account}, isolation ${machine.tier}. Ctrl-C stops.`,
  );
  logger.info("The daemon started", { ...roles, account, tier: machine.tier, version: programVersion() });
  const { draining } = control;
  await using _health = watchHealth(view, { reporter: worker.reporter, notifier: opened.notifier });
  await together(
    [
      ...duties.map((duty) => (one: Abortable) => runDaemon(worker, duty, { ...one, draining })),
      ...federated.map((duty) => (one: Abortable) => runDaemon(worker, duty, { ...one, draining })),
      ...(sitsInCampaigns ? [(one: Abortable) => sitInCampaigns(panelist, { ...one, draining })] : []),
      ...(replays ? [(one: Abortable) => sitInImprovements(panelist, { ...one, draining })] : []),
    ],
    { signal },
  );
}

function noPolicyFile(): IchainError {
  return new IchainError("CONTROL_REFUSED", "The daemon was started without a policy file.", {
    hint: "Start it again with --policy.",
  });
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

/** Names of runs whose jobs are continued: the sweep must spare them. */
function unfinishedRuns({ journal }: WorkerContext): Set<string> {
  const open = journal.undertakings({ unfinished: true });
  return new Set(
    open.flatMap(({ role, key }) =>
      role.startsWith("federated-")
        ? begunRuns(journal.open(role, key))
        : stages.map((stage) => runId(role, key, stage)),
    ),
  );
}

function refuseWeakTier(policy: Policy, machine: OfferDetails): void {
  if (tierAtLeast(machine.tier, policy.leastTier)) return;
  throw new IchainError(
    "TIER_TOO_WEAK",
    `Isolation here is ${machine.tier}; the policy wants ${policy.leastTier}.`,
  );
}

function describeRoles({ provider, validator }: { provider: boolean; validator: boolean }): string {
  return [provider ? "provider" : "", validator ? "validator" : ""].filter(Boolean).join(" and ");
}
