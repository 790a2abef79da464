import { openSandbox } from "../../compose.ts";
import { requireNetwork } from "../../config.ts";
import { freeDisk } from "../../daemon/health.ts";
import { loadPolicy } from "../../daemon/work.ts";
import { COIN } from "../../protocol/amounts.ts";
import { ZERO_ADDRESS } from "../../protocol/ids.ts";
import type { Terms } from "../../protocol/job/terms.ts";
import type { OfferDetails } from "../../protocol/offer.ts";
import type { ChainFacts } from "../../protocol/policy/money.ts";
import { outlineOf } from "../../protocol/policy/outline.ts";
import { type Pay, payOf } from "../../protocol/policy/pay.ts";
import {
  acceptedTender,
  type Policy,
  refuseSpec,
  refuseTerms,
  refuseWork,
} from "../../protocol/policy/policy.ts";
import type { Refusal } from "../../protocol/policy/refusal.ts";
import { coinTender } from "../../protocol/policy/tender.ts";
import { type JobFile, pinImage, specOf } from "../../protocol/task/spec.ts";
import { describeMachine } from "../../roles/daemon/offer.ts";
import { chainFacts } from "../../roles/shared/chain-facts.ts";
import { readPay, readTenders } from "../../roles/tokens.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { loadJobFile, type VariableOptions } from "../steps/job-file.ts";
import { withReader } from "../steps/reader.ts";

const roles = ["provider", "validator"] as const;
const NO_HASH = `0x${"00".repeat(32)}` as const;

/** What is assumed of a chain where no network is configured. */
const USUAL_CHAIN: ChainFacts = {
  pace: { blockSeconds: 12, confirmations: 3 },
  gasPrice: 0n,
  dataFee: 0n,
  poolStake: 10n ** 18n,
};

/** Says whether a policy would take a job on this machine, and if not, why. */
export async function run(
  context: CommandContext,
  args: { policy: string; job: string },
  options: VariableOptions & { requester?: `0x${string}` },
): Promise<void> {
  const { pace, verdicts } = await testPolicy(context, args, options);
  context.ui.print({ pace, verdicts }, () => verdicts.map(verdictText).join("\n"));
}

/** Whether a policy takes a job in a role, and if not, why. */
export type PolicyVerdict = {
  readonly role: "provider" | "validator";
  readonly takes: boolean;
} & Partial<Refusal>;

/** The same as data. */
export async function testPolicy(
  context: CommandContext,
  args: { policy: string; job: string },
  options: VariableOptions & { requester?: `0x${string}` },
): Promise<{ pace: ChainFacts["pace"]; verdicts: readonly PolicyVerdict[] }> {
  const { signal, config } = context;
  const { tokens } = config.network ?? {};
  const [written, { file }] = [
    await loadPolicy(args.policy),
    await loadJobFile(args.job, { ...options, tokens }),
  ];
  const { chain, now, policy, pay } = await seenFrom(context, written, file);
  const report = await (await openSandbox(context)).probe({ signal });
  const machine = describeMachine(report, policy, { diskBytes: await freeDisk(config.home), name: "" });
  const terms = {
    ...termsOf(file, pay, policy, now, chain),
    requester: options.requester ?? ZERO_ADDRESS,
  };
  const verdicts = roles.map((role) => {
    const refusal =
      refuseTerms(policy, terms, role, now, chain) ??
      refuseJob(policy, file, machine) ??
      refuseWork(policy, terms, { spec: specOf(file, ""), bundleBytes: 0 }, chain.pace);
    return { role, takes: refusal === undefined, ...refusal };
  });
  return { pace: chain.pace, verdicts };
}

export function verdictText({ role, takes, ...why }: PolicyVerdict): string {
  const fix = why.fix === undefined ? "" : `; ${why.fix.field}: ${why.fix.value} would do`;
  return `As ${role}: ${takes ? "taken" : `not taken, ${why.reason}${fix} [${why.code}]`}`;
}

interface View {
  readonly chain: ChainFacts;
  /** Unix seconds. */
  readonly now: number;
  readonly policy: Policy;
  readonly pay: Pay;
}

/**
 * The configured network's facts, time and tokens; without a network, usual facts and this machine's time.
 * @throws NO_NETWORK when policy or job name a token: only the chain tells its decimals
 */
async function seenFrom(context: CommandContext, policy: Policy, file: JobFile): Promise<View> {
  const { config, signal } = context;
  const inTokens = file.pay !== undefined || policy.tokens.some((rule) => rule !== "coin");
  if (inTokens) requireNetwork(config);
  let found: View = {
    ...{ chain: USUAL_CHAIN, now: Math.floor(Date.now() / 1000) },
    ...{ policy, pay: inTokens ? { token: COIN } : payOf(file, COIN) },
  };
  if (config.network === undefined) return found;
  const names = config.network.tokens;
  await withReader(context, async ({ market }) => {
    found = {
      chain: await chainFacts(market, { signal }),
      now: await market.now({ signal }),
      policy: await readTenders(market, policy, names, { signal }),
      pay: await readPay(market, file, { signal }),
    };
  });
  return found;
}

function refuseJob(policy: Policy, file: JobFile, machine: OfferDetails): Refusal | undefined {
  const find = (wanted: string) =>
    machine.images.find(({ name, digest }) => wanted === name || wanted === digest)?.digest ?? wanted;
  return refuseSpec(policy, specOf(file, pinImage(file.image, find) ?? ""), machine);
}

/**
 * As the job would be posted to the owner of this policy: where job.yaml names no price, at its own floors. A token
 * that the policy does not list is refused whatever the amounts are.
 */
function termsOf(file: JobFile, pay: Pay, policy: Policy, now: number, chain: ChainFacts): Terms {
  const tender = acceptedTender(policy, pay.token.address) ?? {
    ...coinTender(policy),
    ...{ token: pay.token.address, decimals: pay.token.decimals },
  };
  const validatorFee = pay.validatorFee ?? tender.validationFee;
  const { validators } = file.verification;
  const { windows, ...outline } = outlineOf(file, pay, { tender, validatorFee, validators }, chain);
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
