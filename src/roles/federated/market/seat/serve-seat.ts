import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { z } from "zod";
import { type Abortable, linkSignals } from "../../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { HostIdentity } from "../../../../ports/transport.ts";
import { memberOf } from "../../../../protocol/federated/market/fold.ts";
import { type FederatedJob, isContested } from "../../../../protocol/federated/market/job.ts";
import {
  type RoundMessage,
  type SeatPlace,
  updateMessageSchema,
} from "../../../../protocol/federated/market/messages.ts";
import {
  approvalSchema,
  commitmentSchema,
  type KitMessage,
  kitMessageSchema,
  type RoundList,
  type RoundProposal,
} from "../../../../protocol/federated/market/seat-messages.ts";
import { type Address, type JobId, sameAddress } from "../../../../protocol/ids.ts";
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
import { type Channel, channelWith } from "../channel.ts";
import { moveDisputesOn } from "../dispute/move-on.ts";
import { openStand } from "../dispute/stand.ts";
import { tellDisputes } from "../dispute/tell.ts";
import { hearAny, leadAt, readerOf } from "../provider/leads.ts";
import { Board } from "../requester/board.ts";
import { enlistedIn, openPlace, partDigest } from "../requester/course.ts";
import { leadFiles } from "../requester/files.ts";
import { openArrivals } from "../requester/round/arrivals.ts";
import { unlessRefused } from "../unless-refused.ts";
import { ROUND_NOTICES } from "../update-parcel.ts";
import { OpenRound } from "./open-round.ts";
import { Answers } from "./round/answers.ts";
import { playSeatRound } from "./round/play-round.ts";
import type { Peer, Seat } from "./round/seat.ts";
import { finishStrikes } from "./round/strikes.ts";
import type { Dealt } from "./round/take-list.ts";
import { takeFee } from "./settle.ts";
import { standInTime } from "./standing.ts";
import { isRefusedKit, type Kit, takeKit } from "./take-kit.ts";
import { ofAllRounds, tellRound } from "./tell-round.ts";
import { testify } from "./testify.ts";

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
    earned = await serve(context, journal, id, { kit, setup, limit }, options);
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

async function serve(
  context: WorkerContext,
  journal: JobJournal,
  id: JobId,
  {
    kit,
    setup: { slots, disk },
    limit,
  }: { readonly kit: Kit; readonly setup: SeatSetup & Pick<Seat, "slots">; readonly limit: Abortable },
  options: Abortable,
): Promise<bigint> {
  const { market, transport, account, jobsDir } = context;
  const first = await market.federatedJob(id, options);
  const files = leadFiles(jobFolder(jobsDir, "federated-validator", id).dir);
  await using aggregation = new FileAggregation(Math.min(2, availableParallelism()));
  const { basis, bundle, bundleKey, requester } = kit;
  const opening = { ...{ draft: basis, files, aggregation, bundle, bundleKey }, members: enlistedIn(first) };
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
  const members: Dealt[] = [];
  for (const [at, one] of enlistedIn(first).entries()) {
    const { channel } = spoken.find((each) => sameAddress(each.account, one))!;
    const { train } = place;
    const rows = place.parts[at]!;
    const data = train && (await partDigest(context, { ...place, train }, rows, options));
    members.push({ account: one, channel, data });
  }
  const identity = await journal.step<HostIdentity, HostIdentity>("identity", {
    prepare: () => transport.newIdentity(),
    act: (one) => one,
  });
  const [rounds, told] = [new Board<RoundMessage>(), new Board<RoundList | RoundProposal>()];
  const [answers, opened] = [new Answers(journal), new OpenRound()];
  const seats = spoken.filter((one) => !isProvider(one.account));
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
        ...seats.map((one) => told.feedOf(one.account, one.channel, one.channel.proposals)),
      ],
      maxNotices: ROUND_NOTICES * first.terms.rounds,
      onNotice: async (_root, notice) => takeNotice(notice, { members, seats, opened, answers }, options),
    }),
    options,
  );
  const hosting = await hosted.start();
  const peers = await meet(context, journal, { kit, job: first, hosting: identity }, limit);
  const order = [account, ...peers.map((peer) => peer.account)].toSorted((a, b) =>
    a.toLowerCase() < b.toLowerCase() ? -1 : 1,
  );
  const seat: Seat = { account, order, peers, members, hosting, slots, disk, told, answers };
  let running:
    | { readonly round: number; readonly abort: AbortController; readonly done: Promise<void> }
    | undefined;
  const stop = async () => {
    running?.abort.abort();
    await running?.done;
    running = undefined;
  };
  await using _running = { [Symbol.asyncDispose]: stop };
  await using stand = openStand(
    context,
    journal,
    (job, dispute, own) => testify(context, journal, { kit, place, order }, { job, dispute }, own),
    options,
  );
  for await (const job of market.followFederated(id, options)) {
    await expireLate(context, journal, job, options);
    await moveDisputesOn(context, journal, job, options);
    await tellDisputes(context, journal, job);
    await stand.follow(job);
    const open = job.state === "Running" ? job.closings.length + 1 : undefined;
    if (running && running.round !== open) await stop();
    if (open !== undefined && running === undefined) {
      const standing = await standInTime(context, journal, { job, place, seat }, options);
      if (standing === undefined) continue;
      tellRound(rounds, job, { ...standing, isProvider, requester: first.terms.requester });
      const abort = new AbortController();
      const own = linkSignals([options.signal, abort.signal]);
      const parent = standing.before?.closed.closing.modelDigest ?? basis.spec.federated.start;
      const { parameters, gossip } = basis.spec.federated;
      // Of a provider that was struck no update counts any more, unless a panel clears it.
      const honest = members.filter((one) => memberOf(job, one.account)?.standing === "enlisted");
      const of = { job: id, round: open, parent, parameters, gossip, members: honest, files };
      const coming = openArrivals(context, journal, of, own);
      opened.show(open, coming);
      const state = {
        ...{ job, round: open, kit, place, parent, arrivals: coming },
        ...{ memory: standing.before?.memory ?? {}, last: standing.before?.closed },
      };
      const done = playSeatRound(context, journal, seat, state, own).finally(() => own[Symbol.dispose]());
      running = { round: open, abort, done };
    }
    if (job.state !== "Ended") continue;
    await finishStrikes(context, journal, job, options);
    if (job.closings.length > 0) {
      const standing = await standInTime(context, journal, { job, place, seat }, options);
      if (standing) tellRound(rounds, job, { ...standing, isProvider, requester: first.terms.requester });
    }
    if (isContested(job, await market.now(options))) continue;
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

/** Takes each notice to the party whose channel opens it, once its round is open; of others nothing is kept. */
async function takeNotice(
  notice: Uint8Array,
  {
    members,
    seats,
    opened,
    answers,
  }: {
    readonly members: readonly Dealt[];
    readonly seats: readonly { readonly account: Address; readonly channel: Channel }[];
    readonly opened: OpenRound;
    readonly answers: Answers;
  },
  options: Abortable,
): Promise<void> {
  for (const { account, channel } of members) {
    const message = openedBy(channel, notice, updateMessageSchema);
    if (message === undefined) continue;
    const arrivals = await opened.at(message.upload.round, options);
    return await arrivals?.take(account, channel, message);
  }
  for (const { account, channel } of seats) {
    const message = openedBy(channel, notice, commitmentSchema.or(approvalSchema));
    if (message === undefined) continue;
    const { round } = "committed" in message ? message.committed : message.approved;
    if ((await opened.at(round, options)) !== undefined) await answers.take(account, message);
    return;
  }
}

function openedBy<T>(channel: Channel, notice: Uint8Array, schema: z.ZodType<T>): T | undefined {
  try {
    return channel.open(notice, schema);
  } catch (error) {
    if (isIchainError(error, "FEDERATED_MESSAGE_INVALID")) return undefined;
    throw error;
  }
}
