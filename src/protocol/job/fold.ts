import { type Address, sameAddress } from "../ids.ts";
import type { Cause, JobEvent } from "./events.ts";
import type { Job, Round, Validation } from "./job.ts";

/**
 * A job after one more event of the escrow; undefined before `posted`. Pure: the same events give the same job, so that
 * the index can be dropped and replayed after a reorganisation.
 */
export function fold(job: Job | undefined, event: JobEvent): Job | undefined {
  if (event.kind === "posted") return posted(event);
  if (job === undefined) return undefined;
  switch (event.kind) {
    case "accepted":
      return { ...job, state: "Accepted", deadline: event.deadline };
    case "cancelled":
      return { ...job, state: "Cancelled", deadline: undefined };
    case "released":
      return {
        ...job,
        reason: event.reason,
        sealedLog: event.sealedLog === "0x" ? undefined : event.sealedLog,
      };
    case "stopped":
      return { ...job, paid: event.paid };
    case "submitted": {
      const { resultRoot, measurementCommitment, keyCommitment, seedTip, sealed, deadline } = event;
      const submission = { resultRoot, measurementCommitment, keyCommitment, seedTip, sealedResult: sealed };
      return { ...job, state: "Submitted", submission, deadline };
    }
    case "claimed":
      // After a verdict `settled` follows in the same transaction.
      return {
        ...job,
        state: "Claimed",
        blindedKey: event.blindedKey,
        deadline: event.deadline || undefined,
      };
    case "judged":
      return { ...validationOver(job), state: judgedState[event.verdict], ...judgement(event) };
    case "settled":
      return { ...validationOver(job), state: "Settled", deadline: undefined };
    case "refunded":
      return {
        ...validationOver(job),
        state: "Refunded",
        deadline: undefined,
        cause: event.cause,
        reason: job.reason ?? causeTexts[event.cause],
      };
    case "rated": {
      const { requester, provider } = job.terms;
      const theirs = sameAddress(event.rater, requester) && sameAddress(event.subject, provider);
      return theirs ? { ...job, providerScore: event.score } : job;
    }
    default:
      return foldValidation(job, event);
  }
}

function foldValidation(job: Job, event: ValidationEvent): Job {
  switch (event.kind) {
    case "challenged":
      return { ...nextRound(job, "challenge"), challenged: true };
    case "appealed":
      return { ...nextRound(job, "appeal"), appealed: true };
    case "drawScheduled":
      return {
        ...job,
        state: "Validating",
        committing: true,
        drawing: true,
        seeded: false,
        draws: job.draws + 1,
        deadline: event.deadline,
      };
    case "seedRevealed":
      return { ...job, seeded: true, deadline: event.deadline };
    case "drawn":
      return { ...job, drawing: false, seeded: false, ...progress(event) };
    case "appointed": {
      const { validator, sealed, deadline, drawn } = event;
      const seat = {
        ...{ validator, drawn, sealed, sealedExam: undefined, round: job.round },
        ...{ commitment: undefined, measurement: undefined, abstained: false },
      };
      const validations = [...job.validations, seat];
      const appointed = job.appointed || !drawn;
      return {
        ...job,
        state: "Validating",
        appointed,
        committing: true,
        drawing: false,
        validations,
        deadline,
      };
    }
    case "handedOver":
      // The provider serves the result, and is judged by whether validators get it; the requester has the exam alone.
      if (sameAddress(event.sender, job.terms.provider))
        return seated(job, event.validator, { sealed: event.sealed });
      if (sameAddress(event.sender, job.terms.requester))
        return seated(job, event.validator, { sealedExam: event.sealed });
      return job;
    case "committed":
      return { ...seated(job, event.validator, { commitment: event.commitment }), ...progress(event) };
    case "abstained":
    case "dismissed":
      return { ...seated(job, event.validator, { abstained: true }), ...progress(event) };
    case "revealed":
      return sameAddress(event.author, job.terms.provider)
        ? { ...job, providerMeasurement: event.measurement, disclosed: true }
        : seated(job, event.author, { measurement: event.measurement });
  }
}

type ValidationEvent = Extract<
  JobEvent,
  {
    kind:
      | "challenged"
      | "appealed"
      | "drawScheduled"
      | "seedRevealed"
      | "drawn"
      | "appointed"
      | "handedOver"
      | "committed"
      | "abstained"
      | "dismissed"
      | "revealed";
  }
>;

function posted({ id, terms, seedTip, sealed, block }: Extract<JobEvent, { kind: "posted" }>): Job {
  return {
    id,
    terms,
    state: "Posted",
    seedTip,
    sealedBundle: sealed,
    submission: undefined,
    validations: [],
    providerMeasurement: undefined,
    disclosed: false,
    verdict: "none",
    blindedKey: undefined,
    deadline: terms.acceptBy,
    appointed: false,
    committing: false,
    drawing: false,
    seeded: false,
    draws: 0,
    round: "first",
    challenged: false,
    appealed: false,
    cause: undefined,
    reason: undefined,
    sealedLog: undefined,
    paid: undefined,
    providerScore: undefined,
    postedBlock: block,
  };
}

const judgedState = {
  pass: "Validated",
  fail: "Rejected",
  inconclusive: "Inconclusive",
  unmet: "Rejected",
  none: "Validating",
} as const;

function judgement({
  verdict,
  deadline,
}: Extract<JobEvent, { kind: "judged" }>): Pick<Job, "verdict" | "deadline"> {
  return { verdict, deadline: deadline || undefined };
}

/** A new panel judges; `drawScheduled` follows. */
function nextRound(job: Job, round: Round): Job {
  return { ...job, state: "Validating", round, verdict: "none", committing: true, disclosed: false };
}

/** No seat is pending any more. */
function validationOver(job: Job): Job {
  return { ...job, committing: false, drawing: false };
}

function progress({
  pending,
  deadline,
}: {
  pending: number;
  deadline: number;
}): Pick<Job, "committing" | "deadline"> {
  return { committing: pending > 0, deadline };
}

function seated(job: Job, validator: Address, change: Partial<Validation>): Job {
  const validations = job.validations.map((seat) =>
    sameAddress(seat.validator, validator) ? { ...seat, ...change } : seat,
  );
  return { ...job, validations };
}

const causeTexts: Readonly<Record<Cause, string>> = {
  released: "The provider gave the job back.",
  runMissed: "The provider submitted nothing in time.",
  claimMissed: "The provider did not hand over the key in time.",
  rejected: "The provider's result was found wrong.",
  hid: "The provider did not reveal its measurement, or its seed for a draw.",
  inconclusive: "The validators came to no verdict.",
  unmet: "The result is what the provider says, and does not reach the threshold.",
  stopped: "The requester stopped the job.",
};
