import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type Abortable, linkSignals } from "../../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Feed, HostIdentity } from "../../../../ports/transport.ts";
import { modelDigest } from "../../../../protocol/federated/digest.ts";
import { memberOf } from "../../../../protocol/federated/market/fold.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import {
  type RoundMessage,
  type SeatPlace,
  updateMessageSchema,
} from "../../../../protocol/federated/market/messages.ts";
import {
  approvalSchema,
  type KitMessage,
  kitMessageSchema,
  type RoundProposal,
} from "../../../../protocol/federated/market/seat-messages.ts";
import { readExactModel } from "../../../../protocol/federated/model-file.ts";
import { type Address, type JobId, sameAddress } from "../../../../protocol/ids.ts";
import { parcelBytes } from "../../../../protocol/limits.ts";
import { forJob, type WorkerContext } from "../../../context.ts";
import type { Duty } from "../../../daemon/daemon.ts";
import { type Machine, openSlots } from "../../../daemon/slots.ts";
import type { ProviderSetup } from "../../../job/provider/accept.ts";
import { chainDeadline } from "../../../shared/chain-deadline.ts";
import { hostOnce } from "../../../shared/host-once.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { noteAndReport } from "../../../shared/note.ts";
import { partyOf } from "../../../shared/party.ts";
import { transact } from "../../../shared/transact.ts";
import { FileAggregation } from "../../aggregation/aggregate-files.ts";
import { writeVector } from "../../aggregation/vector-file.ts";
import { type Channel, channelWith } from "../channel.ts";
import { closedRoundIn } from "../closed-round.ts";
import { fetchFromAny, hear, hearAny, leadAt, readerOf } from "../provider/leads.ts";
import { readBounded } from "../read-bounded.ts";
import { Board } from "../requester/board.ts";
import { enlistedIn, openPlace } from "../requester/course.ts";
import { leadFiles } from "../requester/files.ts";
import type { RoundPlace } from "../requester/round/aggregate.ts";
import { type Arrivals, openArrivals } from "../requester/round/arrivals.ts";
import { unlessRefused } from "../unless-refused.ts";
import { EXACT_FILE } from "../update-parcel.ts";
import {
  Approvals,
  adoptFiles,
  clearRound,
  type Peer,
  playSeatRound,
  type Seat,
  sendByOf,
  type WorkedOut,
  workedOut,
} from "./play-round.ts";
import { takeFee } from "./settle.ts";
import { isRefusedKit, type Kit, takeKit } from "./take-kit.ts";

export type SeatSetup = Pick<ProviderSetup, "policy" | "machine" | "disk" | "draining">;

/** What `ichain validate` does with federated jobs: it aggregates and closes the rounds of those in which it has a seat. */
export function seatDuty(context: WorkerContext, setup: SeatSetup, whole: Machine): Duty<FederatedJob> {
  const { market, account } = context;
  const slots = openSlots(1, whole);
  return {
    role: "federated-validator",
    watch: (options) => market.watchFederated({ validator: account }, options),
    wants: (job) => {
      const isInvited = job.invitations.some(({ providers }) =>
        providers.some((one) => sameAddress(one, account)),
      );
      return (
        !setup.draining &&
        job.state === "Running" &&
        isInvited &&
        memberOf(job, account)?.standing === "seated"
      );
    },
    work: (id, options) => serveSeat(forJob(context, id), id, { ...setup, slots }, options),
    giveUp: async (id) => end(context, context.journal.open("federated-validator", id), id, "failed"),
  };
}

/** A seat from its invitation to its fee; safe to call again after a crash at any point. */
async function serveSeat(
  context: WorkerContext,
  id: JobId,
  setup: SeatSetup & Pick<Seat, "slots">,
  options: Abortable,
): Promise<void> {
  const { market } = context;
  const journal = context.journal.open("federated-validator", id);
  const job = await market.federatedJob(id, options);
  let earned = 0n;
  try {
    // Before the first round is closed everything comes from the requester, which may never give it.
    using limit = chainDeadline(
      job.closings.length > 0 ? Number.POSITIVE_INFINITY : job.deadline,
      market,
      options.signal,
    );
    const kit = await takeKit(context, journal, job, setup, limit);
    if (isRefusedKit(kit)) throw new IchainError("FEDERATED_SEAT_EMPTY", `${kit.code}: ${kit.reason}.`);
    earned = await serve(context, journal, id, { kit, slots: setup.slots, limit }, options);
  } catch (error) {
    options.signal.throwIfAborted();
    if (isIchainError(error) && error.retryable) throw error;
    const why = error instanceof Error ? error.message : "the requester did not hand them over in time";
    noteAndReport(context, journal, `its rounds are not aggregated here: ${why}`, "warn");
    earned = await awaitEnd(context, journal, id, options);
  }
  noteAndReport(context, journal, `federated job over, ${earned > 0n ? "paid" : "unpaid"}`);
  await end(context, journal, id, earned > 0n ? "done" : "failed");
}

/** Takes no part in the rounds, and the stake back once the job is over. */
async function awaitEnd(
  context: WorkerContext,
  journal: JobJournal,
  id: JobId,
  options: Abortable,
): Promise<bigint> {
  for await (const job of context.market.followFederated(id, options)) {
    await expireLate(context, journal, job, options);
    const paid = job.state === "Ended" ? await takeFee(context, journal, job, options) : undefined;
    if (paid !== undefined) return paid;
  }
  return 0n;
}

/** Ends a job whose round was not closed in time. */
async function expireLate(
  { market }: WorkerContext,
  journal: JobJournal,
  job: FederatedJob,
  options: Abortable,
): Promise<void> {
  if (job.state !== "Running" || (await market.now(options)) <= job.deadline) return;
  const name = `expire-${job.closings.length}`;
  const call = { kind: "expireFederated", federated: job } as const;
  await unlessRefused(() => transact(market, journal, call, { ...options, name }));
}

async function end(
  { jobsDir }: WorkerContext,
  journal: JobJournal,
  id: JobId,
  result: "done" | "failed",
): Promise<void> {
  await rm(jobFolder(jobsDir, "federated-validator", id).dir, { recursive: true, force: true });
  journal.finish(result);
}

/** A round before it is played: what the one before it ended with. */
interface Standing {
  readonly round: number;
  readonly before: WorkedOut | undefined;
}

async function serve(
  context: WorkerContext,
  journal: JobJournal,
  id: JobId,
  { kit, slots, limit }: { readonly kit: Kit; readonly slots: Seat["slots"]; readonly limit: Abortable },
  options: Abortable,
): Promise<bigint> {
  const { market, transport, account, jobsDir } = context;
  const first = await market.federatedJob(id, options);
  const files = leadFiles(jobFolder(jobsDir, "federated-validator", id).dir);
  await using aggregation = new FileAggregation(Math.min(2, availableParallelism()));
  const { basis, bundle, bundleKey, requester } = kit;
  const parts = enlistedIn(first).length;
  const opening = { ...{ draft: basis, files, aggregation, bundle, bundleKey }, parts };
  const place = await openPlace(context, journal, opening, options);
  const channelTo = async (one: Address) => {
    const { keys } = await partyOf(context, one, options);
    return {
      account: one,
      onionKey: keys.onionKey,
      channel: await channelWith(context.keyring, keys.onionKey, id),
    };
  };
  const others = first.members.map((one) => one.account).filter((one) => !sameAddress(one, account));
  const spoken = await Promise.all(others.map(channelTo));
  const isProvider = (one: Address) => memberOf(first, one)?.seat === false;
  const members = spoken.filter((one) => isProvider(one.account));
  const identity = await journal.step<HostIdentity, HostIdentity>("identity", {
    prepare: () => transport.newIdentity(),
    act: (one) => one,
  });
  const [rounds, proposals, approvals] = [
    new Board<RoundMessage>(),
    new Board<RoundProposal>(),
    new Approvals(),
  ];
  let arrivals: Arrivals | undefined;
  await using hosted = hostOnce(
    context,
    "seat",
    () => ({
      identity,
      blobs: [bundle],
      readers: [requester, ...spoken].map(readerOf),
      feeds: [
        ofAllRounds(journal, requester.channel, rounds.feedOf(first.terms.requester, requester.channel)),
        ...spoken.map((one) => rounds.feedOf(one.account, one.channel)),
        ...spoken
          .filter((one) => !isProvider(one.account))
          .map((one) => proposals.feedOf(one.account, one.channel, one.channel.proposals)),
      ],
      onNotice: async (_root, notice) => takeNotice(notice, spoken, { arrivals, approvals }),
    }),
    options,
  );
  const hosting = await hosted.start();
  const peers = await meet(context, journal, { kit, job: first, hosting: identity }, limit);
  const order = [account, ...peers.map((peer) => peer.account)].toSorted((a, b) =>
    a.toLowerCase() < b.toLowerCase() ? -1 : 1,
  );
  const seat: Seat = { account, order, peers, members, hosting, slots, proposals, approvals };
  let running:
    | { readonly round: number; readonly abort: AbortController; readonly done: Promise<void> }
    | undefined;
  const stop = async () => {
    running?.abort.abort();
    await running?.done;
    running = undefined;
  };
  await using _running = { [Symbol.asyncDispose]: stop };
  for await (const job of market.followFederated(id, options)) {
    await expireLate(context, journal, job, options);
    const open = job.state === "Running" ? job.closings.length + 1 : undefined;
    if (running && running.round !== open) await stop();
    if (open !== undefined && running === undefined) {
      const standing = await standInTime(context, journal, { job, place, seat }, options);
      if (standing === undefined) continue;
      show(rounds, job, { ...standing, isProvider, requester: first.terms.requester });
      const abort = new AbortController();
      const own = linkSignals([options.signal, abort.signal]);
      const parent = standing.before?.closed.closing.modelDigest ?? basis.spec.federated.start;
      const { parameters } = basis.spec.federated;
      // Of a provider that was struck no update counts any more, unless a panel clears it.
      const honest = members.filter((one) => memberOf(job, one.account)?.standing === "enlisted");
      const of = { job: id, round: open, parent, parameters, members: honest, files };
      const coming = openArrivals(context, journal, of, own);
      arrivals = coming;
      const state = {
        ...{ job, round: open, kit, place, parent, arrivals: coming },
        ...{ memory: standing.before?.memory ?? {}, last: standing.before?.closed },
      };
      const done = playSeatRound(context, journal, seat, state, own).finally(() => own[Symbol.dispose]());
      running = { round: open, abort, done };
    }
    if (job.state !== "Ended") continue;
    if (job.closings.length > 0) {
      const standing = await standInTime(context, journal, { job, place, seat }, options);
      if (standing) show(rounds, job, { ...standing, isProvider, requester: first.terms.requester });
    }
    const paid = await takeFee(context, journal, job, options);
    if (paid !== undefined) return paid;
  }
  return 0n;
}

/** Tells the requester where this seat hosts, and resolves with the other seats once it has told of them. */
async function meet(
  context: WorkerContext,
  journal: JobJournal,
  { kit, job, hosting }: { kit: Kit; job: FederatedJob; hosting: HostIdentity },
  options: Abortable,
): Promise<readonly Peer[]> {
  const { requester } = kit;
  const { transport, address } = hosting.endpoint;
  await journal.step("hello", {
    prepare: () => null,
    act: async () => {
      const notice = requester.channel.seal({ hello: { account: context.account, transport, address } });
      const request = { endpoint: requester.endpoint, root: job.terms.bundleRoot, notice };
      await context.transport.sendNotice(request, options);
      return true;
    },
  });
  const peers = await journal.step<null, readonly SeatPlace[]>("peers", {
    prepare: () => null,
    act: async () => {
      const asked = {
        from: 2,
        accept: (one: KitMessage) => one.peers !== undefined,
        feed: ({ feed: id }: Channel) => id,
        schema: kitMessageSchema,
      };
      return (await hearAny(context, [requester], asked, options)).peers!;
    },
  });
  const seats = peers.filter(
    (one) => !sameAddress(one.account, context.account) && memberOf(job, one.account)?.seat,
  );
  return Promise.all(seats.map((one) => leadAt(context, job.id, one, options)));
}

/** Takes each notice to the party whose channel opens it; of others nothing is kept. */
async function takeNotice(
  notice: Uint8Array,
  spoken: readonly { readonly account: Address; readonly channel: Channel }[],
  { arrivals, approvals }: { readonly arrivals: Arrivals | undefined; readonly approvals: Approvals },
): Promise<void> {
  for (const { account, channel } of spoken) {
    try {
      const message = channel.open(notice, updateMessageSchema.or(approvalSchema));
      if ("approved" in message) return approvals.take(account, message.approved);
      return await arrivals?.take(account, channel, message);
    } catch (error) {
      if (!isIchainError(error, "FEDERATED_MESSAGE_INVALID")) throw error;
    }
  }
}

/** The same while the job waits for this step; undefined, with a word, where no other seat tells in time. */
async function standInTime(
  context: WorkerContext,
  journal: JobJournal,
  of: { readonly job: FederatedJob; readonly place: RoundPlace; readonly seat: Seat },
  options: Abortable,
): Promise<Standing | undefined> {
  using limit = chainDeadline(of.job.deadline, context.market, options.signal);
  try {
    return await stand(context, journal, of, limit);
  } catch (error) {
    options.signal.throwIfAborted();
    const why = isIchainError(error) ? error.message : "no other validator tells what it came to";
    noteAndReport(context, journal, `round ${of.job.closings.length} is not known here: ${why}`, "warn");
    return undefined;
  }
}

/** What the last closed round came to, by this seat's own work or, where it has none of it, by its peers. */
async function stand(
  context: WorkerContext,
  journal: JobJournal,
  { job, place, seat }: { job: FederatedJob; place: RoundPlace; seat: Seat },
  options: Abortable,
): Promise<Standing> {
  const closed = job.closings.length;
  if (closed === 0) return { round: 1, before: undefined };
  const before = await journal.step<null, WorkedOut>(`adopted-${closed}`, {
    prepare: () => null,
    act: async () => {
      const { closing } = job.closings[closed - 1]!;
      const own = workedOut(journal, seat.order, closing);
      if (own === undefined) return await catchUp(context, journal, { job, place, seat }, options);
      await adoptFiles(place, closed, own.by);
      const { closed: round, model, memory } = own;
      return { closed: round, model, memory };
    },
  });
  await seat.hosting.add(before.model.blob);
  await clearRound(place, closed, before.model.blob.path);
  const earlier = journal.outcome<WorkedOut>(`adopted-${closed - 1}`);
  if (earlier !== undefined && earlier.model.blob.root !== before.model.blob.root) {
    seat.hosting.remove(earlier.model.blob.root);
    await rm(earlier.model.blob.path, { force: true });
  }
  return { round: closed + 1, before };
}

/**
 * Takes over a round that others closed. What the server's step remembers is not told: where it has something, this seat
 * serves the model and signs nothing until the job is over.
 */
async function catchUp(
  context: WorkerContext,
  journal: JobJournal,
  { job, place, seat }: { job: FederatedJob; place: RoundPlace; seat: Seat },
  options: Abortable,
): Promise<WorkedOut> {
  const { market, parcels } = context;
  const round = job.closings.length;
  const { closing } = job.closings[round - 1]!;
  const { files, draft } = place;
  const { parameters } = draft.spec.federated;
  const isWhole = ({ last }: RoundMessage) => last?.model.root === closing.modelRoot;
  const message = await hear(context, seat.peers, { from: round + 1, accept: isWhole }, options);
  const earned = journal.outcome<WorkedOut>(`adopted-${round - 1}`)?.closed.earned ?? [];
  const closed = closedRoundIn(message, closing, earned, market.ledgerDomainOf(job.id));
  const { root, key, bytes } = message.last!.model;
  const path = join(files.rounds, `caught-${round}.parcel`);
  const most = parcelBytes(8 * parameters + (16 << 20));
  const request = { root, path, maxBytes: most, size: bytes };
  const blob = await fetchFromAny(context, seat.peers, request, options);
  const into = `${path}-opened`;
  await rm(into, { recursive: true, force: true });
  await parcels.open({ blob, sessionKey: key, into, limits: { maxBytes: most, maxFiles: 1 } }, options);
  const model = readExactModel(await readBounded(join(into, EXACT_FILE), 8 * parameters + (16 << 20)));
  await rm(into, { recursive: true, force: true });
  if (modelDigest(createHash("sha256"), model.layout, model.vector) !== closing.modelDigest)
    throw new IchainError("MODEL_INVALID", "A validator's model is not the one that the chain names.");
  writeVector(files.model(round + 1), model.vector);
  noteAndReport(context, journal, `round ${round} was closed by others: its model is taken over`);
  return { closed, model: { blob, key }, memory: message.last!.memory ?? {} };
}

/** The requester may have been away for rounds: its feed has each of them, beside the newest of `feed`. */
function ofAllRounds(journal: JobJournal, channel: Channel, feed: Feed): Feed {
  return {
    id: feed.id,
    read: async (from, options) => {
      const before = journal.outcome<WorkedOut>(`adopted-${from - 1}`);
      if (before === undefined) return await feed.read(from, options);
      return channel.seal({ round: from, ledger: [...before.closed.lines], last: lastOf(before) });
    },
  };
}

/** What is told of a closed round beside its books. */
function lastOf({ closed, model }: WorkedOut): NonNullable<RoundMessage["last"]> {
  return {
    model: { root: model.blob.root, key: model.key, bytes: model.blob.size },
    ...(closed.before && { before: closed.before }),
    bytes: closed.took.map(([one, { bytes }]): [Address, number] => [one, bytes]),
  };
}

/** Shows the open round, or after the last one what it came to. */
function show(
  board: Board<RoundMessage>,
  job: FederatedJob,
  {
    round,
    before,
    isProvider,
    requester,
  }: Standing & { readonly isProvider: (one: Address) => boolean; readonly requester: Address },
): void {
  if (before === undefined) return;
  const { closed, memory } = before;
  const base = { round, ledger: [...closed.lines] };
  const last = lastOf(before);
  const work = { model: last.model, sendBy: sendByOf(job) };
  board.show(round, (account) => {
    if (isProvider(account)) return job.state === "Ended" ? base : { ...base, work };
    if (sameAddress(account, requester)) return { ...base, last };
    const remembered = Object.fromEntries(Object.entries(memory).map(([one, values]) => [one, [...values]]));
    return { ...base, last: { ...last, memory: remembered } };
  });
}
