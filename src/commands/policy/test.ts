import { ZERO_ADDRESS } from "../../protocol/ids.ts";
import type { OfferDetails } from "../../protocol/offer.ts";
import { type Policy, type Refusal, refuseSpec, refuseTerms } from "../../protocol/policy.ts";
import { type JobFile, pinImage, specOf } from "../../protocol/spec.ts";
import type { Terms } from "../../protocol/terms.ts";
import { describeMachine } from "../../roles/shared/offer.ts";
import type { CommandContext } from "../declaration.ts";
import { loadJobFile } from "../steps/job-file.ts";
import { loadPolicy } from "../steps/policy.ts";
import { freeDisk } from "../steps/work.ts";

const roles = ["provider", "validator"] as const;
const NO_HASH = `0x${"00".repeat(32)}` as const;

/** Says whether a policy would take a job on this machine, and if not, why. */
export async function run(
  context: CommandContext,
  args: { policy: string; job: string },
  options: { requester?: `0x${string}` },
): Promise<void> {
  const { ui, signal, config } = context;
  const [policy, { file }] = [await loadPolicy(args.policy), await loadJobFile(args.job)];
  const { openSandbox } = await import("../../compose.ts");
  const report = await (await openSandbox(context)).probe({ signal });
  const machine = describeMachine(report, policy, { diskBytes: await freeDisk(config.home), name: "" });
  const now = Math.floor(Date.now() / 1000);
  const terms = { ...termsOf(file, policy, now), requester: options.requester ?? ZERO_ADDRESS };
  const verdicts = roles.map((role) => {
    const refusal = refuseTerms(policy, terms, role, now) ?? refuseJob(policy, file, machine);
    return { role, takes: refusal === undefined, ...refusal };
  });
  ui.print({ verdicts }, () =>
    verdicts
      .map(
        ({ role, takes, ...why }) =>
          `As ${role}: ${takes ? "taken" : `not taken, ${why.reason} [${why.code}]`}`,
      )
      .join("\n"),
  );
}

function refuseJob(policy: Policy, file: JobFile, machine: OfferDetails): Refusal | undefined {
  const find = (wanted: string) =>
    machine.images.find(({ name, digest }) => wanted === name || wanted === digest)?.digest ?? wanted;
  return refuseSpec(policy, specOf(file, pinImage(file.image, find) ?? ""), machine);
}

/** As the job would be posted to whoever has this policy: where job.yaml names no price, at its own floors. */
function termsOf(file: JobFile, policy: Policy, now: number): Terms {
  const { accept, ...windows } = file.windows;
  const { time } = file.resources;
  const price = file.price ?? (policy.pricePerHour * BigInt(time) + 3599n) / 3600n;
  const validatorFee = file.validatorFee ?? policy.validationFee;
  return {
    requester: ZERO_ADDRESS,
    provider: ZERO_ADDRESS,
    token: ZERO_ADDRESS,
    price,
    validatorFee,
    providerStake: price,
    validatorStake: validatorFee,
    validators: file.verification.validators,
    mode: file.verification.mode,
    tolerance: 0n,
    threshold: 0n,
    acceptBy: now + accept,
    windows: { ...windows, run: time },
    specHash: NO_HASH,
    bundleRoot: NO_HASH,
    secretHash: NO_HASH,
  };
}
