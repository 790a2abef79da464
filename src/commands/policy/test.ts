import { openSandbox } from "../../compose.ts";
import { freeDisk, loadPolicy } from "../../daemon/work.ts";
import { ZERO_ADDRESS } from "../../protocol/ids.ts";
import type { Terms } from "../../protocol/job/terms.ts";
import type { OfferDetails } from "../../protocol/offer.ts";
import type { ChainFacts } from "../../protocol/policy/money.ts";
import { outlineOf, postedWindows } from "../../protocol/policy/outline.ts";
import { type Policy, refuseSpec, refuseTerms, refuseWork } from "../../protocol/policy/policy.ts";
import type { Refusal } from "../../protocol/policy/refusal.ts";
import { type JobFile, pinImage, specOf } from "../../protocol/task/spec.ts";
import { describeMachine } from "../../roles/daemon/offer.ts";
import { chainFacts } from "../../roles/shared/chain-facts.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { loadJobFile, type VariableOptions } from "../steps/job-file.ts";
import { withReader } from "../steps/reader.ts";

const roles = ["provider", "validator"] as const;
const NO_HASH = `0x${"00".repeat(32)}` as const;

/** What is assumed of a chain where no network is configured. */
const USUAL_CHAIN: ChainFacts = {
  pace: { blockSeconds: 12, confirmations: 3 },
  gasPrice: 0n,
  poolStake: 10n ** 18n,
};

/** Says whether a policy would take a job on this machine, and if not, why. */
export async function run(
  context: CommandContext,
  args: { policy: string; job: string },
  options: VariableOptions & { requester?: `0x${string}` },
): Promise<void> {
  const { ui, signal, config } = context;
  const [policy, { file }] = [await loadPolicy(args.policy), await loadJobFile(args.job, options)];
  const { chain, now } = await chainOf(context);
  const report = await (await openSandbox(context)).probe({ signal });
  const machine = describeMachine(report, policy, { diskBytes: await freeDisk(config.home), name: "" });
  const terms = { ...termsOf(file, policy, now, chain), requester: options.requester ?? ZERO_ADDRESS };
  const verdicts = roles.map((role) => {
    const refusal =
      refuseTerms(policy, terms, role, now, chain) ??
      refuseJob(policy, file, machine) ??
      refuseWork(policy, terms, { spec: specOf(file, ""), bundleBytes: 0 }, chain.pace);
    return { role, takes: refusal === undefined, ...refusal };
  });
  ui.print({ pace: chain.pace, verdicts }, () =>
    verdicts
      .map(({ role, takes, ...why }) => {
        const fix = why.fix === undefined ? "" : `; ${why.fix.field}: ${why.fix.value} would do`;
        return `As ${role}: ${takes ? "taken" : `not taken, ${why.reason}${fix} [${why.code}]`}`;
      })
      .join("\n"),
  );
}

/** The configured network's facts and time (Unix seconds); without a network, usual facts and this machine's time. */
async function chainOf(context: CommandContext): Promise<{ chain: ChainFacts; now: number }> {
  const { config, signal } = context;
  let found = { chain: USUAL_CHAIN, now: Math.floor(Date.now() / 1000) };
  if (config.network === undefined) return found;
  await withReader(context, async ({ market }) => {
    found = { chain: await chainFacts(market, { signal }), now: await market.now({ signal }) };
  });
  return found;
}

function refuseJob(policy: Policy, file: JobFile, machine: OfferDetails): Refusal | undefined {
  const find = (wanted: string) =>
    machine.images.find(({ name, digest }) => wanted === name || wanted === digest)?.digest ?? wanted;
  return refuseSpec(policy, specOf(file, pinImage(file.image, find) ?? ""), machine);
}

/** As the job would be posted to the owner of this policy: where job.yaml names no price, at its own floors. */
function termsOf(file: JobFile, policy: Policy, now: number, chain: ChainFacts): Terms {
  const { run: seconds } = postedWindows(file, chain);
  const floor = (policy.pricePerHour * BigInt(seconds) + 3599n) / 3600n;
  const validatorFee = file.validatorFee ?? policy.validationFee;
  const { validators } = file.verification;
  const { windows, ...outline } = outlineOf(file, { floor, validatorFee, validators }, chain);
  const { accept, ...rest } = windows;
  return {
    requester: ZERO_ADDRESS,
    provider: ZERO_ADDRESS,
    ...outline,
    tolerance: 0n,
    threshold: 0n,
    acceptBy: now + accept,
    windows: rest,
    specHash: NO_HASH,
    bundleRoot: NO_HASH,
    secretHash: NO_HASH,
  };
}
