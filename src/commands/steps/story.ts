import type { JobRole } from "../../ports/journal.ts";
import { shortId } from "../../protocol/ids.ts";
import { isAppealable } from "../../protocol/job/exits.ts";
import type { Job } from "../../protocol/job/job.ts";
import type { JobState } from "../../protocol/job/state.ts";
import { shareOf } from "../../protocol/job/terms.ts";
import { coin, instant, money } from "../../ui/format.ts";
import type { Tokens } from "./tokens.ts";
import { due, isFailedRun, roleIn } from "./view.ts";

/** Where a job stands, in three plain sentences. */
export interface Story {
  readonly stands: string;
  /** Who may or must act now, and by when. */
  readonly next: string;
  /** What happens when the turn is missed. */
  readonly otherwise: string;
}

interface Facts {
  readonly provider: string;
  readonly price: string;
  readonly stake: string;
  readonly by: string;
  readonly job: Job;
  /** An amount in the job's token. */
  amount(value: bigint): string;
}

const over = "Nothing more can happen to its money.";

const stories: Readonly<Record<JobState, (facts: Facts) => Story>> = {
  None: () => ({ stands: "The chain knows no such job.", next: "No party has to act.", otherwise: over }),
  Posted: ({ provider, price, by }) => ({
    stands: `The job is posted and ${price} is locked in the escrow.`,
    next: `The provider ${provider} may accept it ${by}; the requester may cancel it at any time.`,
    otherwise: "After that anyone may cancel it, and all the money goes back to the requester.",
  }),
  Accepted: ({ provider, stake, by }) => ({
    stands: `The provider ${provider} has accepted the job and put ${stake} of its stake at risk.`,
    next: `It must submit a result ${by}, or release the job if it cannot run it; the requester may stop it ("ichain stop").`,
    otherwise:
      "After that the job expires: the requester gets its money back and a tenth of the stake at risk, the rest is burnt.",
  }),
  Submitted: ({ by, job }) => ({
    stands: "The provider has submitted a result; it is still encrypted.",
    next:
      job.terms.validators === 0
        ? `The provider may claim the price with the key ${by}.`
        : `The requester downloads the encrypted result and appoints ${count(job.terms.validators)} ${by}.`,
    otherwise:
      job.terms.validators === 0
        ? "After that the job expires as if no result had come."
        : "After that the provider draws validators without the requester.",
  }),
  Claimed: ({ provider, by }) => ({
    stands: "The provider has shown the key; the price is held for the challenge window.",
    next: `The requester may challenge the result with a bond ${by} ("ichain challenge"), or settle at once.`,
    otherwise: `After that anyone may settle, and the provider ${provider} is paid.`,
  }),
  Validating: ({ by, job }) => ({
    stands: `Validators measure the result: ${progress(job)}.`,
    next: job.drawing
      ? job.seeded
        ? `Seats are empty: the provider must draw validators for them, with its seed, ${by}.`
        : `Seats are empty: the requester may reveal its seed for the draw ${by}, then it is the provider's turn.`
      : job.committing
        ? `Each of them must commit to its measurement ${by}, or abstain.`
        : `Each validator that committed must reveal its measurement ${by}.`,
    otherwise:
      "A validator that hides what it committed to loses stake; with too few measurements no party loses any.",
  }),
  Validated: ({ provider, price, by, job }) => ({
    stands: "The measurements agree: the verdict is pass.",
    next: job.challenged
      ? `Anyone may settle, and the provider ${provider} is paid ${price}; the challenge has cost its bond.`
      : `The provider ${provider} claims ${price} by showing the key that opens the result, ${by}.`,
    otherwise: job.challenged
      ? "The money waits; the key that opens the result is known already."
      : "After that the job expires as if no result had come, and the requester has its money back.",
  }),
  Rejected: ({ provider, by, job, amount }) => ({
    stands:
      job.verdict === "unmet"
        ? isFailedRun(job)
          ? "The run failed, as its provider says: the verdict is unmet."
          : "The result is what the provider says, and does not reach the threshold: the verdict is unmet."
        : "The measurements do not agree: the verdict is fail.",
    next: isAppealable(job)
      ? `The provider ${provider} may appeal once, with a bond, ${by} ("ichain appeal").`
      : "Anyone may settle the job.",
    otherwise:
      job.verdict === "unmet"
        ? `After that anyone may settle: the provider gets ${amount(shareOf(job.terms.price, job.terms.effort))} for its effort, the requester the rest.`
        : "After that anyone may settle: the requester has its money back, and the provider's stake is burnt.",
  }),
  Inconclusive: ({ provider, by, job }) => ({
    stands: "Too few validators measured the result to judge it.",
    next: isAppealable(job)
      ? `The provider ${provider} may appeal once, with a bond, ${by} ("ichain appeal").`
      : "Anyone may settle the job.",
    otherwise:
      job.round === "challenge"
        ? "The claim stands then: the provider is paid, and the challenge's bond goes back."
        : "The requester gets its money back then, and no party loses stake.",
  }),
  Settled: ({ provider, price }) => ({
    stands: `The job is settled: the provider ${provider} was paid ${price} and the key is known.`,
    next: 'Each side may rate the other once ("ichain rate").',
    otherwise: over,
  }),
  Refunded: ({ job, amount }) => ({
    stands: refundText(job, amount),
    next: 'Each side may rate the other once ("ichain rate").',
    otherwise: over,
  }),
  Cancelled: () => ({
    stands: "The job was cancelled before anyone accepted it; all the money went back.",
    next: "No party has to act.",
    otherwise: over,
  }),
};

const count = (validators: number): string =>
  validators === 1 ? "one validator" : `${validators} validators`;

function progress({ validations }: Job): string {
  const has = (test: (each: Job["validations"][number]) => boolean): number =>
    validations.filter(test).length;
  const parts = [
    `${has((each) => each.commitment !== undefined)} of ${validations.length} have committed`,
    `${has((each) => each.measurement !== undefined)} have revealed`,
  ];
  const abstained = has((each) => each.abstained);
  if (abstained > 0) parts.push(`${abstained} abstained`);
  return parts.join(", ");
}

function refundText(job: Job, amount: Facts["amount"]): string {
  const { cause, paid = 0n, terms } = job;
  if (cause === "stopped")
    return `The requester stopped the job: its provider got ${amount(paid)} for the time used, the requester the rest.`;
  if (cause === "unmet") {
    const effort = amount(shareOf(terms.price, terms.effort));
    const what = isFailedRun(job)
      ? "The run failed, and validators saw the task fail in the same way"
      : "The result did not reach the threshold";
    return `${what}: its provider got ${effort} for its effort, the requester the rest.`;
  }
  return `The requester got its money back: ${refundCause(job)}.`;
}

function refundCause({ submission, verdict }: Job): string {
  if (verdict === "fail") return "the result failed its validation";
  if (verdict === "inconclusive") return "too few validators measured the result";
  if (verdict === "pass") return "the provider never showed the key";
  return submission ? "the job was not carried through in time" : "no result was submitted";
}

/** Where `job` stands at `now` (Unix seconds), as seen by `account`. */
export function story(
  job: Job,
  now: number,
  account: string | undefined,
  tokens: Tokens,
): Story & { readonly role?: JobRole } {
  const role = roleIn(job, account);
  const by =
    job.deadline === undefined
      ? "now"
      : job.deadline >= now
        ? `by ${instant(job.deadline)} (${due(job, now)})`
        : `until ${instant(job.deadline)}, which is over (${due(job, now)})`;
  const told = stories[job.state]({
    provider: shortId(job.terms.provider),
    price: money(job.terms.price, tokens(job.terms.token)),
    stake: coin(job.terms.providerStake),
    amount: (value) => money(value, tokens(job.terms.token)),
    by,
    job,
  });
  return role === undefined ? told : { ...told, role };
}
