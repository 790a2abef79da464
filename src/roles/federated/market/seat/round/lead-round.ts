import type { Abortable } from "../../../../../async/abort.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import { signerOf } from "../../../../../protocol/federated/ledger/record.ts";
import type { Closing } from "../../../../../protocol/federated/market/closing.ts";
import type { FederatedJob } from "../../../../../protocol/federated/market/job.ts";
import {
  type Approved,
  figuresCommitment,
  listDigest,
  type RoundProposal,
} from "../../../../../protocol/federated/market/seat-messages.ts";
import { signedClosing } from "../../../../../protocol/federated/market/signatures.ts";
import type { ReplayFinding } from "../../../../../protocol/federated/replay.ts";
import { type Address, type Hex, shortId } from "../../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../../context.ts";
import { noteAndReport } from "../../../../shared/note.ts";
import { transact } from "../../../../shared/transact.ts";
import { updateNoticeOf } from "../../requester/round/arrivals.ts";
import { unlessRefused } from "../../unless-refused.ts";
import { whyNotNear } from "./figures.ts";
import { propose } from "./propose.ts";
import { type Seat, type SeatRound, sendByOf } from "./seat.ts";
import { signRound, strikeAll } from "./strikes.ts";

/** How long the others have at least, once enough seats have answered, milliseconds. */
const LEAST_GRACE_MS = 10_000;

/** A seat and the hash that it sent of its figures before it heard this seat's. */
type Commitment = readonly [account: Address, commitment: Hex];

/**
 * A round as the seat on turn leads it: tells which updates count, works them out while the others do, proposes once these
 * have committed to what they found, and closes with the signatures of those whose figures are near its own.
 */
export async function leadSeatRound(
  context: WorkerContext,
  journal: JobJournal,
  seat: Seat,
  state: SeatRound & { readonly isFirst: boolean },
  options: Abortable,
): Promise<void> {
  const { market, account } = context;
  const { job, round, arrivals, isFirst, place } = state;
  const { told, answers, peers } = seat;
  const by = seat.order.indexOf(seat.account);
  const tag = `${round}-${by}`;
  const begunAt = await market.now(options);
  const accounts = await journal.step(`chosen-${tag}`, {
    prepare: () => null,
    act: async () => {
      const { quorum } = place.draft.file.federated;
      return isFirst
        ? [...(await arrivals.enough({ quorum, sendBy: sendByOf(job) }))]
        : [...arrivals.present()];
    },
  });
  await arrivals.haveAll(accounts);
  const messages = accounts.map((one) => updateNoticeOf(journal, round, one)!);
  const list = { round, updates: messages };
  told.show(2 * round - 1, () => list);
  const toldAt = performance.now();
  using slot = await seat.slots.take(options);
  await slot.hold(place.draft.spec.resources, options);
  const request = { by, messages, seat, begunAt };
  const { proposal, closed } = await propose(context, journal, state, request, options);
  slot[Symbol.dispose]();
  const digest = listDigest(job.id, account, list);
  const seated = job.members.filter((one) => one.seat).length;
  const isMajority = (others: readonly unknown[]) => 2 * (others.length + 1) > seated;
  const commitments = (): Commitment[] =>
    peers.flatMap(({ account: one }) => {
      const commitment = answers.commitment(round, one, digest);
      return commitment === undefined ? [] : [[one, commitment]];
    });
  const committed = await journal.step(`commitments-${tag}`, {
    prepare: () => null,
    act: async () => {
      // A seat that has not even fetched the list is away: it is not waited for.
      const isOut = (one: Address) =>
        told.readBy(one) >= 2 * round - 1 && answers.commitment(round, one, digest) === undefined;
      const wait = {
        all: () => !peers.some((peer) => isOut(peer.account)),
        enough: () => isMajority(commitments()),
        graceMs: Math.max(LEAST_GRACE_MS, performance.now() - toldAt),
      };
      await answers.until(wait, options);
      return commitments();
    },
  });
  told.show(2 * round, () => proposal);
  const own = signRound(context, job, closed.closing, proposal);
  // Of a round that ends the job for a cheat the strikes are signed alone.
  const closing = own.signature === undefined ? undefined : closed.closing;
  const approved = () =>
    committed.flatMap(([one, commitment]) => {
      const answer = answers.approval(round, one);
      const of = { account: one, commitment, job, list: digest, proposal, closing };
      return answer && whyNotCounted(context, of, answer) === undefined ? [[one, answer] as const] : [];
    });
  const wait = {
    all: () => committed.every(([one]) => answers.approval(round, one) !== undefined),
    enough: () => isMajority(approved()),
    graceMs: LEAST_GRACE_MS,
  };
  await answers.until(wait, options);
  const valid = approved();
  for (const [one, commitment] of committed) {
    const answer = answers.approval(round, one);
    const of = { account: one, commitment, job, list: digest, proposal, closing };
    const why = answer && whyNotCounted(context, of, answer);
    if (why !== undefined)
      noteAndReport(context, journal, `round ${round}: ${shortId(one)} is not counted: ${why}`, "warn");
  }
  const all = [[account, own] as const, ...valid];
  // Before the closing: with it the round, and this, are over.
  await strikeAll(context, journal, { job, round, proposal }, all, options);
  if (closing === undefined) return;
  const approvals = all.flatMap(([one, { signature }]) => (signature ? [{ seat: one, signature }] : []));
  const call = { kind: "closeRound", federated: job, closing, approvals } as const;
  await unlessRefused(() => transact(market, journal, call, { ...options, name: `close-${round}` }));
}

/** Why a seat's signature does not count; undefined where it does. */
export function whyNotCounted(
  { market }: { readonly market: Pick<WorkerContext["market"], "ledgerDomainOf"> },
  {
    account,
    commitment,
    job,
    list,
    proposal,
    closing,
  }: {
    readonly account: Address;
    readonly commitment: Hex;
    readonly job: Pick<FederatedJob, "id">;
    /** Digest of the list. */
    readonly list: Hex;
    readonly proposal: RoundProposal;
    /** Undefined where only strikes are signed. */
    readonly closing: Closing | undefined;
  },
  { figures, salt, signature }: Approved,
): string | undefined {
  const signed = closing && signedClosing(market.ledgerDomainOf(job.id), closing);
  const isSigned =
    signed === undefined || (signature && signerOf(signed, signature) === account.toLowerCase());
  if (!isSigned) return "it signed something else";
  if (figuresCommitment(list, account, figures, salt) !== commitment)
    return "it committed to something else than it shows";
  return (
    whyNotNear(proposal, figures, proposal.updates) ??
    (proposal.measured.every(({ audit }, i) => sameReplay(audit, figures.measured[i]?.audit))
      ? undefined
      : "its replays found something else")
  );
}

/** A residual may have reached one seat and not the other: what the one found without it is no other finding. */
function sameReplay(one: ReplayFinding | undefined, other: ReplayFinding | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one === other || one === "withheld" || other === "withheld";
}
