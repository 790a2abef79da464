import { existsSync } from "node:fs";
import type { Abortable } from "../../../../../async/abort.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import type { RoundList, RoundProposal } from "../../../../../protocol/federated/market/seat-messages.ts";
import { sameAddress } from "../../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../../context.ts";
import { updatePath } from "../../requester/round/arrivals.ts";
import { residualsAtSeat } from "../residuals.ts";
import { asFigures } from "./figures.ts";
import { replay } from "./replay.ts";
import type { Seat } from "./seat.ts";
import {
  arrivedOf,
  booksOf,
  packExact,
  proposedFiles,
  type RoundState,
  type ServedParcel,
  type WorkedOut,
  workOut,
} from "./work-out.ts";

/** What a seat proposes, as it recorded it. */
export interface Proposed extends WorkedOut {
  readonly proposal: RoundProposal;
}

/** Works a round out of updates that are here, and hosts what other seats need to examine it. */
export async function propose(
  context: WorkerContext,
  journal: JobJournal,
  state: RoundState,
  {
    by,
    messages,
    seat: { hosting, peers, members },
    begunAt,
  }: {
    /** Place of this seat among the seats. */
    readonly by: number;
    /** Of the updates that count. */
    readonly messages: RoundList["updates"];
    readonly seat: Pick<Seat, "hosting" | "peers" | "members">;
    readonly begunAt: number;
  },
  options: Abortable,
): Promise<Proposed> {
  const { job, round, place } = state;
  const { files } = place;
  const tag = `${round}-${by}`;
  const residualsOf = residualsAtSeat(context, journal, state, { hosting, peers });
  const updates = arrivedOf(
    job,
    messages,
    (account) => updatePath(files, round, account),
    (account, message, path) => {
      const channel = members.find((one) => sameAddress(one.account, account))?.channel;
      return channel && residualsOf(account, channel, message, path);
    },
  );
  const aggregated = await journal.step(`aggregate-${tag}`, {
    prepare: () => null,
    act: () =>
      workOut(
        context,
        journal,
        state,
        by,
        {
          updates,
          replay: (own, suspects) => replay(context, journal, own, { round, updates, suspects }, options),
        },
        options,
      ),
  });
  const paths = proposedFiles(place, round, by);
  const model = await journal.step(`proposed-model-${tag}`, {
    prepare: () => ({ path: paths.model, out: paths.parcel }),
    act: (request) => packExact(context, place, request, options),
  });
  await hosting.add(model.blob);
  const root = existsSync(files.rootUpdate(round))
    ? await journal.step(`proposed-root-${tag}`, {
        prepare: () => `${files.rootUpdate(round)}.parcel`,
        act: async (out): Promise<ServedParcel> => {
          const name = files.rootUpdate(round).split("/").at(-1)!;
          const packed = await context.parcels.pack({ root: files.rounds, paths: [name], out }, options);
          return { blob: packed.blob, key: packed.sessionKey };
        },
      })
    : undefined;
  if (root !== undefined) await hosting.add(root.blob);
  const parcelOf = ({ blob, key }: ServedParcel) => ({ root: blob.root, key, bytes: blob.size });
  return await journal.step(`proposal-${tag}`, {
    prepare: async (): Promise<Proposed> => {
      const finishedAt = await context.market.now(options);
      const times = { finishedAt, seconds: Math.max(0, finishedAt - begunAt) };
      const closed = booksOf(context, state, {
        ...{ lead: context.account, aggregated, messages, ...times, model: parcelOf(model) },
        sign: (hash) => context.market.signRecord(hash),
      });
      const line = JSON.parse(closed.lines.at(-1)!) as { signature: RoundProposal["signature"] };
      const proposal: RoundProposal = {
        ...{ round, updates: messages, ...times, signature: line.signature, model: parcelOf(model) },
        ...(root && { root: parcelOf(root) }),
        ...asFigures(aggregated.before, aggregated.members),
      };
      return { proposal, closed, model, memory: aggregated.memory };
    },
    act: (one) => one,
  });
}
