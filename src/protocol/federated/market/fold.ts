import { type Address, type Hex, sameAddress } from "../../ids.ts";
import type { FederatedEvent } from "./events.ts";
import type { Dispute, FederatedJob, FederatedMember, Fee } from "./job.ts";

/** The job after `event`; events come in the chain's order, the posting first. Undefined before it. */
export function foldFederated(
  job: FederatedJob | undefined,
  event: FederatedEvent,
): FederatedJob | undefined {
  if (event.kind === "posted") return job ?? posted(event);
  return job === undefined ? undefined : after(job, event);
}

function posted({ id, terms, sealed, block }: FederatedEvent & { kind: "posted" }): FederatedJob {
  return {
    ...{ id, terms, sealed, block, state: "Enlisting", stopping: false, paid: 0n, swept: false },
    deadline: terms.enlistBy + terms.disputeWindow,
    ...{ invitations: [], members: [], closings: [], disputes: [], judged: [], fees: [], resumedAt: 0 },
  };
}

function after(job: FederatedJob, event: Exclude<FederatedEvent, { kind: "posted" }>): FederatedJob {
  switch (event.kind) {
    case "invited":
      return { ...job, invitations: [...job.invitations, event.invitation] };
    case "enlisted":
      return { ...job, members: [...job.members, newMember(event.provider, false)] };
    case "begun":
      // Without seats the first round opens in the same call.
      return event.drawBlock === 0
        ? job
        : { ...job, state: "Drawing", drawBlock: event.drawBlock, deadline: event.deadline };
    case "seated":
      return { ...job, members: [...job.members, newMember(event.seat, true)] };
    case "firstOpened":
      return { ...job, state: "Running", deadline: event.deadline };
    case "uploadAsserted": {
      const { provider, round, upload } = event;
      const assertions = [...(memberOf(job, provider)?.assertions ?? []), { round, upload }];
      return withMember(job, provider, { asserted: round, assertions });
    }
    case "roundClosed": {
      // The next round opens in the same call, unless `ended` follows.
      const deadline = event.closed.closedAt + job.terms.roundWindow;
      return { ...job, closings: [...job.closings, event.closed], deadline };
    }
    case "stopAsked":
      return { ...job, stopping: true };
    case "ended": {
      const { cause, closed, deadline } = event;
      return { ...job, state: "Ended", cause, deadline, closings: job.closings.slice(0, closed) };
    }
    case "resumed": {
      const { state, deadline } = event;
      const { roundWindow, disputeWindow } = job.terms;
      return {
        ...job,
        state,
        deadline,
        resumedAt: deadline - (state === "Running" ? roundWindow : disputeWindow),
      };
    }
    case "claimed": {
      const member = memberOf(job, event.account);
      const next = { ...job, paid: job.paid + event.amount };
      // The requester, which is no member, claims what the updates left.
      return withMember(next, event.account, { claimed: (member?.claimed ?? 0n) + event.amount });
    }
    case "struck": {
      const { strike: found, signers, appealBy } = event;
      const ends = job.terms.refunds && job.state === "Running";
      const next = ends ? withFees(job, "strike", signers) : job;
      return withMember(next, found.provider, { standing: "struck", strike: { found, signers, appealBy } });
    }
    case "stakeReleased":
      return withMember(job, event.account, { standing: "released", lost: event.slashed });
    case "swept":
      return { ...job, swept: true };
    case "rated":
      return job;
    default:
      return disputed(job, event);
  }
}

type DisputeEvent = Extract<FederatedEvent, { about: Address | undefined }>;

function disputed(job: FederatedJob, event: DisputeEvent): FederatedJob {
  const { about } = event;
  switch (event.kind) {
    case "disputed": {
      const { challenger, round, drawBlock } = event;
      const opened: Dispute = {
        ...{
          number: job.disputes.length + job.judged.length,
          about,
          challenger,
          round,
          drawBlock,
          deadline: 0,
        },
        ...{ panel: [], committed: [], revealed: [], findings: [] },
      };
      const next: FederatedJob = { ...job, disputes: [...job.disputes, opened] };
      return about === undefined
        ? { ...next, state: "Disputed" }
        : withMember(next, about, { standing: "appealing" });
    }
    case "drawMissed":
      return withDispute(job, about, { drawBlock: event.drawBlock });
    case "empanelled":
      return withDispute(job, about, { drawBlock: undefined, panel: event.panel, deadline: event.deadline });
    case "findingCommitted": {
      const committed = [...(disputeOf(job, about)?.committed ?? []), event.validator];
      return withDispute(job, about, { committed, deadline: event.deadline });
    }
    case "findingRevealed": {
      const { revealed = [], findings = [] } = disputeOf(job, about) ?? {};
      return withDispute(job, about, {
        revealed: [...revealed, event.validator],
        findings: [...findings, event.finding],
      });
    }
    case "disputeConcluded":
      return concluded(job, event);
  }
}

/** Of a closing the contract says what follows in another event: `resumed`, or `ended`. */
function concluded(job: FederatedJob, event: DisputeEvent & { kind: "disputeConcluded" }): FederatedJob {
  const { about, decided, stands } = event;
  const dispute = disputeOf(job, about);
  const { number = 0, challenger = job.terms.requester, round = 0 } = dispute ?? {};
  const rest: FederatedJob = {
    ...withFees(job, "panel", dispute ? paidIn(dispute, decided) : []),
    disputes: job.disputes.filter((each) => each !== dispute),
    judged: [...job.judged, { number, about, challenger, round, decided, stands }],
  };
  if (about === undefined) {
    const wrong = stands || dispute === undefined ? undefined : job.closings[dispute.round - 1];
    return slashed(rest, wrong?.signers ?? []);
  }
  const strike = memberOf(job, about)?.strike;
  const judged = withMember(rest, about, { standing: decided && stands ? "condemned" : "enlisted" });
  return slashed(judged, decided && !stands ? (strike?.signers ?? []) : []);
}

/** Those of a panel that found with most; without a majority all that said what they found. */
function paidIn({ revealed, findings, panel }: Dispute, decided: boolean): readonly Address[] {
  const isMost = (finding: Hex) => 2 * findings.filter((one) => one === finding).length > panel.length;
  return revealed.filter((_, i) => !decided || isMost(findings[i]!));
}

function withFees(job: FederatedJob, of: Fee["of"], accounts: readonly Address[]): FederatedJob {
  const fees = accounts.map((account): Fee => ({ account, of, amount: job.terms.seatFee }));
  return { ...job, fees: [...job.fees, ...fees] };
}

/** Seats that signed what a panel found false; one that has lost its stake before loses none. */
function slashed(job: FederatedJob, signers: readonly Address[]): FederatedJob {
  return signers.reduce(
    (next, signer) =>
      memberOf(next, signer)?.standing === "seated"
        ? withMember(next, signer, { standing: "slashed" })
        : next,
    job,
  );
}

function newMember(account: Address, seat: boolean): FederatedMember {
  return { account, seat, standing: seat ? "seated" : "enlisted", asserted: 0, assertions: [], claimed: 0n };
}

export function memberOf(job: FederatedJob, account: Address): FederatedMember | undefined {
  return job.members.find((member) => sameAddress(member.account, account));
}

export function disputeOf(job: FederatedJob, about: Address | undefined): Dispute | undefined {
  return job.disputes.find((dispute) =>
    about === undefined || dispute.about === undefined
      ? dispute.about === about
      : sameAddress(dispute.about, about),
  );
}

function withMember(job: FederatedJob, account: Address, change: Partial<FederatedMember>): FederatedJob {
  const members = job.members.map((member) =>
    sameAddress(member.account, account) ? { ...member, ...change } : member,
  );
  return { ...job, members };
}

function withDispute(job: FederatedJob, about: Address | undefined, change: Partial<Dispute>): FederatedJob {
  const target = disputeOf(job, about);
  const disputes = job.disputes.map((dispute) => (dispute === target ? { ...dispute, ...change } : dispute));
  return { ...job, disputes };
}
