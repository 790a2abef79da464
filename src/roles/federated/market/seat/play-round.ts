import { copyFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Abortable, aborted, raceSignal } from "../../../../async/abort.ts";
import { retryTransient } from "../../../../async/retry.ts";
import type { Approval } from "../../../../ports/federated.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Hosting } from "../../../../ports/transport.ts";
import { signerOf } from "../../../../protocol/federated/ledger/record.ts";
import type { Closing } from "../../../../protocol/federated/market/closing.ts";
import type { Strike } from "../../../../protocol/federated/market/events.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import {
  type Approved,
  proposalSchema,
  type RoundProposal,
} from "../../../../protocol/federated/market/seat-messages.ts";
import { signedClosing, signedStrike } from "../../../../protocol/federated/market/signatures.ts";
import type { Address, Hex } from "../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../context.ts";
import type { Slots } from "../../../daemon/slots.ts";
import { chainDeadline } from "../../../shared/chain-deadline.ts";
import { noteAndReport, retryText } from "../../../shared/note.ts";
import { transact } from "../../../shared/transact.ts";
import type { DiskBudget } from "../../../task/kept/disk-budget.ts";
import type { Channel } from "../channel.ts";
import { hearAny, type Lead } from "../provider/leads.ts";
import type { Board } from "../requester/board.ts";
import type { Arrivals } from "../requester/round/arrivals.ts";
import type { ClosedRound } from "../requester/round/books.ts";
import { unlessRefused } from "../unless-refused.ts";
import { examineProposal } from "./examine.ts";
import { propose } from "./propose.ts";
import { proposedFiles, type RoundState, type ServedParcel } from "./work-out.ts";

/** Another seat, and how it is reached; the seats' order is that of their addresses. */
export type Peer = Lead & { readonly account: Address };

/** A provider, and the digest of the rows that it was dealt; undefined where it has its own. */
export interface Dealt {
  readonly account: Address;
  readonly channel: Channel;
  readonly data: Hex | undefined;
}

/** What a seat holds for all rounds. */
export interface Seat {
  readonly account: Address;
  /** All seats that serve, ascending, this one among them. */
  readonly order: readonly Address[];
  readonly peers: readonly Peer[];
  readonly members: readonly Dealt[];
  readonly hosting: Hosting;
  readonly slots: Slots;
  readonly disk: DiskBudget | undefined;
  readonly proposals: Board<RoundProposal>;
  /** Signatures that other seats have sent, of the open round. */
  readonly approvals: Approvals;
}

/** A round that a seat worked out: by itself, or as another proposes it. */
export interface WorkedOut {
  readonly closed: ClosedRound;
  readonly model: ServedParcel;
  readonly memory: RoundState["memory"];
}

/** The signatures of a round, as they come. */
export class Approvals {
  #changed = Promise.withResolvers<void>();
  readonly #by = new Map<Address, Approved>();

  take(account: Address, approved: Approved): void {
    this.#by.set(account, approved);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Resolves with those of `round` whenever one more comes; never ends but with `signal`. */
  async *of(round: number, { signal }: Abortable): AsyncGenerator<readonly (readonly [Address, Approved])[]> {
    for (;;) {
      const { promise } = this.#changed;
      yield [...this.#by].filter(([, approved]) => approved.round === round);
      await raceSignal(promise, signal);
    }
  }
}

/**
 * One round of a seat, until `options.signal` aborts because it is over: proposes when it is its turn, and signs what
 * another seat proposes once it has worked it out. The seats' turns go round with the rounds; one whose proposal is not
 * closed in time is followed by the next.
 */
export async function playSeatRound(
  context: WorkerContext,
  journal: JobJournal,
  seat: Seat,
  state: RoundState & { readonly arrivals: Arrivals },
  options: Abortable,
): Promise<void> {
  const { job, round } = state;
  const { order, peers, account } = seat;
  const turnOf = (one: Address) =>
    (order.indexOf(one) + order.length - ((round - 1) % order.length)) % order.length;
  const listening = peers.map((peer) =>
    explained(context, journal, round, () => answer(context, journal, seat, state, peer, options), options),
  );
  const proposing = explained(
    context,
    journal,
    round,
    async () => {
      const turn = turnOf(account);
      if (turn > 0) {
        const wait = Math.floor((turn * job.terms.roundWindow) / (4 * order.length));
        using clock = chainDeadline(sendByOf(job) + wait, context.market, options.signal);
        await aborted(clock.signal);
        options.signal.throwIfAborted();
      }
      await lead(context, journal, seat, { ...state, isFirst: turn === 0 }, options);
    },
    options,
  );
  await Promise.all([...listening, proposing]);
}

/** Until when updates count, Unix seconds: half of the window is for working the round out. */
export function sendByOf({ deadline, terms }: FederatedJob): number {
  return deadline - Math.floor(terms.roundWindow / 2);
}

/** Goes on where this seat cannot; says why. */
async function explained(
  context: WorkerContext,
  journal: JobJournal,
  round: number,
  work: () => Promise<void>,
  { signal }: Abortable,
): Promise<void> {
  try {
    const warn = (error: Error, pause: number) =>
      context.reporter.emit({ kind: "warn", text: retryText(error, pause) });
    await retryTransient(work, warn, { signal });
  } catch (error) {
    if (signal.aborted) return;
    const why = error instanceof Error ? error.message : String(error);
    noteAndReport(context, journal, `round ${round}: ${why}`, "warn");
  }
}

async function lead(
  context: WorkerContext,
  journal: JobJournal,
  seat: Seat,
  state: RoundState & { readonly arrivals: Arrivals; readonly isFirst: boolean },
  options: Abortable,
): Promise<void> {
  const { market, account } = context;
  const { job, round, arrivals, isFirst, place } = state;
  const by = seat.order.indexOf(seat.account);
  const begunAt = await market.now(options);
  const { quorum } = place.draft.file.federated;
  const chosen = () =>
    isFirst ? arrivals.enough({ quorum, sendBy: sendByOf(job) }) : Promise.resolve(arrivals.present());
  const accounts = await chosen();
  using slot = await seat.slots.take(options);
  await slot.hold(place.draft.spec.resources, options);
  const request = { by, chosen: async () => accounts, arrivals, hosting: seat.hosting, begunAt };
  const { proposal, closed } = await propose(context, journal, state, request, options);
  slot[Symbol.dispose]();
  seat.proposals.show(round, () => proposal);
  const own = approve(context, job, closed.closing, proposal);
  const domain = market.ledgerDomainOf(job.id);
  const seated = job.members.filter((one) => one.seat).length;
  for await (const others of seat.approvals.of(round, options)) {
    const strikes = () => strikesWith(context, { job, round, proposal }, [[account, own], ...others]);
    if (own.signature === undefined) {
      if (strikes().length === 0) continue;
      await strikeAll(context, journal, { job, round, strikes }, options);
      return;
    }
    const approvals = [[account, own] as const, ...others].flatMap(([one, { signature }]) => {
      const isValid =
        signature && signerOf(signedClosing(domain, closed.closing), signature) === one.toLowerCase();
      return isValid ? [{ seat: one, signature }] : [];
    });
    if (2 * approvals.length <= seated) continue;
    // Before the closing: with it the round, and this, are over.
    await strikeAll(context, journal, { job, round, strikes }, options);
    const call = { kind: "closeRound", federated: job, closing: closed.closing, approvals } as const;
    await unlessRefused(() => transact(market, journal, call, { ...options, name: `close-${round}` }));
    return;
  }
}

/** The proven cheats of a round, as seats sign them. */
function strikesOf(round: number, { updates, measured }: RoundProposal): Strike[] {
  return updates.flatMap(({ upload, parcel }, i) =>
    measured[i]!.audit === "proven" ? [{ provider: upload.provider, round, upload: parcel.root }] : [],
  );
}

function signStrikes(
  { market }: WorkerContext,
  job: FederatedJob,
  round: number,
  proposal: RoundProposal,
): [Address, Hex][] {
  return strikesOf(round, proposal).map((strike) => [strike.provider, market.signStrike(job.id, strike)]);
}

/** What this seat signs of a round: strikes, and the closing, unless two seats or more are to end the job for a cheat. */
function approve(
  context: WorkerContext,
  job: FederatedJob,
  closing: Closing,
  proposal: RoundProposal,
): Approved {
  const { round } = closing;
  const strikes = signStrikes(context, job, round, proposal);
  const ends = job.terms.refunds && strikes.length > 0 && job.members.filter(({ seat }) => seat).length > 1;
  return { round, strikes, ...(!ends && { signature: context.market.signClosing(job.id, closing) }) };
}

/** A strike with its signatures. */
interface Accusation {
  readonly strike: Strike;
  readonly approvals: readonly Approval[];
}

/** The proven cheats that enough seats have found: more than half of them, and two at least. */
function strikesWith(
  { market }: WorkerContext,
  { job, round, proposal }: { job: FederatedJob; round: number; proposal: RoundProposal },
  signed: readonly (readonly [Address, Pick<Approved, "strikes">])[],
): Accusation[] {
  const domain = market.ledgerDomainOf(job.id);
  const seated = job.members.filter((one) => one.seat).length;
  return strikesOf(round, proposal).flatMap((found) => {
    const approvals = signed.flatMap(([seat, { strikes }]) => {
      const signature = strikes.find(([provider]) => provider.toLowerCase() === found.provider)?.[1];
      const isValid = signature && signerOf(signedStrike(domain, found), signature) === seat.toLowerCase();
      return isValid ? [{ seat, signature }] : [];
    });
    if (approvals.length < 2 || 2 * approvals.length <= seated) return [];
    return [{ strike: found, approvals }];
  });
}

/** Strikes each of `strikes`, which are decided once: the first may end the job, and the others still count. */
async function strikeAll(
  { market }: Pick<WorkerContext, "market">,
  journal: JobJournal,
  { job, round, strikes }: { job: FederatedJob; round: number; strikes: () => readonly Accusation[] },
  options: Abortable,
): Promise<void> {
  await journal.step(`strikes-${round}`, {
    prepare: strikes,
    act: async (all: readonly Accusation[]) => {
      for (const one of all) {
        const call = { kind: "strike", federated: job, ...one } as const;
        const name = `strike-${round}-${one.strike.provider}`;
        await unlessRefused(() => transact(market, journal, call, { ...options, name }));
      }
      return all.length;
    },
  });
}

/** Makes the strikes that this seat was making when the first of them ended the job. */
export async function finishStrikes(
  context: Pick<WorkerContext, "market">,
  journal: JobJournal,
  job: FederatedJob,
  options: Abortable,
): Promise<void> {
  const round = job.closings.length + 1;
  const strikes = journal.intent<readonly Accusation[]>(`strikes-${round}`);
  if (strikes !== undefined)
    await strikeAll(context, journal, { job, round, strikes: () => strikes }, options);
}

/** Waits for what a peer proposes, works it out, and signs it. */
async function answer(
  context: WorkerContext,
  journal: JobJournal,
  seat: Seat,
  state: RoundState & { readonly arrivals: Arrivals },
  peer: Peer,
  options: Abortable,
): Promise<void> {
  const { transport } = context;
  const { job, round, arrivals } = state;
  const { members, hosting } = seat;
  const by = seat.order.indexOf(peer.account);
  const tag = `${round}-${by}`;
  const proposal = await journal.step<null, RoundProposal>(`heard-${tag}`, {
    prepare: () => null,
    act: () => {
      const asked = {
        from: round,
        accept: (one: RoundProposal) => one.round === round,
        feed: ({ proposals }: Channel) => proposals,
        schema: proposalSchema,
      };
      return hearAny(context, [peer], asked, options);
    },
  });
  const examined = await journal.step<null, WorkedOut>(`examined-${tag}`, {
    prepare: () => null,
    act: async () => {
      using slot = await seat.slots.take(options);
      await slot.hold(state.place.draft.spec.resources, options);
      const request = { by, proposer: peer, proposal, arrivals, members, hosting };
      return await examineProposal(context, journal, state, request, options);
    },
  });
  await journal.step(`approved-${tag}`, {
    prepare: () => null,
    act: async () => {
      const approved = approve(context, job, examined.closed.closing, proposal);
      const notice = peer.channel.seal({ approved });
      await transport.sendNotice({ endpoint: peer.endpoint, root: job.terms.bundleRoot, notice }, options);
      return true;
    },
  });
}

/** What this seat worked out of a round that the chain has closed so; undefined where it did not. */
export function workedOut(
  journal: JobJournal,
  order: readonly Address[],
  closing: Closing,
): (WorkedOut & { readonly by: number }) | undefined {
  for (const by of order.keys()) {
    const tag = `${closing.round}-${by}`;
    const one =
      journal.outcome<WorkedOut>(`examined-${tag}`) ?? journal.outcome<WorkedOut>(`proposal-${tag}`);
    if (
      one?.closed.closing.ledgerTip === closing.ledgerTip &&
      one.closed.closing.modelRoot === closing.modelRoot
    )
      return { ...one, by };
  }
  return undefined;
}

/** Takes the files of a closed round for the next one, and removes those that no one needs any more. */
export async function adoptFiles(
  { files, ...place }: RoundState["place"],
  round: number,
  by: number,
): Promise<void> {
  const proposed = proposedFiles({ files, ...place }, round, by);
  await copyFile(proposed.model, files.model(round + 1));
  for (const [i, path] of proposed.states.entries()) await copyFile(path, files.state(round + 1, i));
}

/**
 * Removes what only closed rounds up to `round` needed; the parcel of the model that the last ended with is still served.
 * The updates of those from `disputable` on stay, for the panel that they may be shown to.
 */
export async function clearRounds(
  { files }: RoundState["place"],
  { round, disputable, kept }: { readonly round: number; readonly disputable: number; readonly kept: string },
): Promise<void> {
  for (const name of await readdir(files.rounds).catch(() => [])) {
    const [, what, of = 0] = /^(proposed|update|root)-(\d+)(?=-|\.|$)/.exec(name) ?? [];
    const isOver = Number(of) <= round && (what === "proposed" || Number(of) < disputable);
    const path = join(files.rounds, name);
    if (what !== undefined && isOver && path !== kept) await rm(path, { recursive: true, force: true });
  }
}
