import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { modelDigest } from "../../../../protocol/federated/digest.ts";
import { challengeBy, type FederatedJob } from "../../../../protocol/federated/market/job.ts";
import type { RoundMessage } from "../../../../protocol/federated/market/messages.ts";
import { readExactModel } from "../../../../protocol/federated/model-file.ts";
import { parcelBytes } from "../../../../protocol/limits.ts";
import type { WorkerContext } from "../../../context.ts";
import { chainDeadline } from "../../../shared/chain-deadline.ts";
import { noteAndReport } from "../../../shared/note.ts";
import { writeVector } from "../../aggregation/vector-file.ts";
import { closedRoundIn } from "../closed-round.ts";
import { fetchFromAny, hear, LastToAnswer } from "../provider/leads.ts";
import { readBounded } from "../read-bounded.ts";
import type { RoundPlace } from "../requester/round/aggregate.ts";
import { EXACT_FILE } from "../update-parcel.ts";
import { adoptFiles, clearRounds, workedOut } from "./kept-rounds.ts";
import type { Seat } from "./round/seat.ts";
import type { ServedParcel, WorkedOut } from "./round/work-out.ts";
import { packStates, takeStates } from "./states.ts";

/** A round before it is played: what the one before it ended with. */
export interface SeatStanding {
  readonly round: number;
  readonly before: WorkedOut | undefined;
  /** The server's states with which the round begins, where it has any. */
  readonly states?: ServedParcel | undefined;
}

/** The same while the job waits for this step; undefined, with a word, where no other seat tells in time. */
export async function standInTime(
  context: WorkerContext,
  journal: JobJournal,
  of: { readonly job: FederatedJob; readonly place: RoundPlace; readonly seat: Seat },
  options: Abortable,
): Promise<SeatStanding | undefined> {
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
): Promise<SeatStanding> {
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
  const disputable = disputableFrom(job, await context.market.now(options));
  // Updates of one byte a value, or little more: where there is no room for another round's, the older ones go.
  const full = await seat.disk?.refuse(seat.members.length * place.draft.spec.federated.parameters);
  const kept = { disputable: full ? closed + 1 : disputable, kept: before.model.blob.path };
  await clearRounds(place, { round: closed, ...kept });
  const earlier = journal.outcome<WorkedOut>(`adopted-${closed - 1}`);
  if (earlier !== undefined && earlier.model.blob.root !== before.model.blob.root) {
    seat.hosting.remove(earlier.model.blob.root);
    await rm(earlier.model.blob.path, { force: true });
  }
  const states = await packStates(context, journal, place, closed + 1, options);
  if (states !== undefined) await seat.hosting.add(states.blob);
  const past = journal.outcome<ServedParcel>(`states-${closed}`);
  if (past !== undefined) {
    seat.hosting.remove(past.blob.root);
    await rm(past.blob.path, { force: true });
  }
  return { round: closed + 1, before, states };
}

/** Takes over a round that others closed: its model, which the chain names, and what the next one needs beside it. */
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
  const last = new LastToAnswer();
  const message = await hear(context, seat.peers, { from: round + 1, accept: isWhole, last }, options);
  const peers = last.first(seat.peers);
  const earned = journal.outcome<WorkedOut>(`adopted-${round - 1}`)?.closed.earned ?? [];
  const closed = closedRoundIn(message, closing, earned, market.ledgerDomainOf(job.id));
  const { root, key, bytes } = message.last!.model;
  const path = join(files.rounds, `caught-${round}.parcel`);
  const most = parcelBytes(8 * parameters + (16 << 20));
  const request = { root, path, maxBytes: most, size: bytes };
  const blob = await fetchFromAny(context, peers, request, options);
  const into = `${path}-opened`;
  await rm(into, { recursive: true, force: true });
  await parcels.open({ blob, sessionKey: key, into, limits: { maxBytes: most, maxFiles: 1 } }, options);
  const model = readExactModel(await readBounded(join(into, EXACT_FILE), 8 * parameters + (16 << 20)));
  await rm(into, { recursive: true, force: true });
  if (modelDigest(createHash("sha256"), model.layout, model.vector) !== closing.modelDigest)
    throw new IchainError("MODEL_INVALID", "A validator's model is not the one that the chain names.");
  writeVector(files.model(round + 1), model.vector);
  const asked = { round: round + 1, parcel: message.last!.states, from: peers };
  await takeStates(context, place, asked, options);
  noteAndReport(context, journal, `round ${round} was closed by others: its model is taken over`);
  return { closed, model: { blob, key }, memory: message.last!.memory ?? {} };
}

/** The first round that a panel may still be asked about. */
function disputableFrom(job: FederatedJob, now: number): number {
  const closings = job.closings
    .map(({ closing }) => closing.round)
    .filter((one) => now <= challengeBy(job, one));
  const struck = job.members.flatMap(({ standing, strike }) =>
    strike && (standing === "appealing" || (standing === "struck" && now <= strike.appealBy))
      ? [strike.found.round]
      : [],
  );
  return Math.min(job.closings.length + 1, ...closings, ...struck, ...job.disputes.map(({ round }) => round));
}
