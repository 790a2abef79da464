import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../../async/abort.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import type { Hosting } from "../../../../../ports/transport.ts";
import { decodeUpdate, openUpdate } from "../../../../../protocol/federated/codec/update.ts";
import { modelDigest } from "../../../../../protocol/federated/digest.ts";
import { signerOf } from "../../../../../protocol/federated/ledger/record.ts";
import {
  listDigest,
  type RoundList,
  type RoundProposal,
} from "../../../../../protocol/federated/market/seat-messages.ts";
import { readExactModel } from "../../../../../protocol/federated/model-file.ts";
import { sameTraining } from "../../../../../protocol/federated/replay.ts";
import type { Address } from "../../../../../protocol/ids.ts";
import { parcelBytes } from "../../../../../protocol/limits.ts";
import type { WorkerContext } from "../../../../context.ts";
import { readVector } from "../../../aggregation/vector-file.ts";
import type { Lead } from "../../provider/leads.ts";
import { readBounded } from "../../read-bounded.ts";
import { rootUpdate } from "../../requester/round/aggregate.ts";
import { type Arrivals, maxUpdateBytes } from "../../requester/round/arrivals.ts";
import { EXACT_FILE } from "../../update-parcel.ts";
import { agreedMeasurements, sameFindings } from "./figures.ts";
import { replay } from "./replay.ts";
import { type Dealt, takeList } from "./take-list.ts";
import {
  booksOf,
  disagree,
  proposedFiles,
  type RoundState,
  type ServedParcel,
  type WorkedOut,
  workOut,
} from "./work-out.ts";

/** How far a seat's clock may be from the chain's, seconds. */
const CLOCK = 300;

/**
 * Works another seat's proposal out from the updates that it counts, and compares: what is whole numbers must be the same,
 * what was measured must be near, what was replayed must be found alike.
 * @throws FEDERATED_DISAGREED
 */
export async function examineProposal(
  context: WorkerContext,
  journal: JobJournal,
  state: RoundState,
  {
    by,
    proposer,
    list,
    proposal,
    arrivals,
    members,
    hosting,
  }: {
    /** Place of the proposer among the seats. */
    readonly by: number;
    readonly proposer: Lead & { readonly account: Address };
    /** What it told before this seat committed; undefined where this seat came too late to. */
    readonly list: RoundList | undefined;
    readonly proposal: RoundProposal;
    readonly arrivals: Arrivals;
    readonly members: readonly Dealt[];
    readonly hosting: Hosting;
  },
  options: Abortable,
): Promise<WorkedOut> {
  const { market, parcels, transport } = context;
  const { job, round, place } = state;
  const { draft } = place;
  const { parameters } = draft.spec.federated;
  const tag = `${round}-${by}`;
  if (proposal.measured.length !== proposal.updates.length)
    throw disagree("it measured other updates than it counts");
  const digestOf = (one: RoundList) => listDigest(job.id, proposer.account, one);
  const { updates: counted } = proposal;
  if (list !== undefined && digestOf(list) !== digestOf({ round, updates: counted }))
    throw disagree("it counts other updates than it told before");
  const taken = { by, from: proposer, list: { round, updates: counted }, arrivals, members, hosting };
  const updates = await takeList(context, journal, state, taken, options);
  const now = await market.now(options);
  // From the round's beginning on, which a dispute may have put off since.
  const begunAt = job.closings.at(-1)?.closedAt ?? job.deadline - job.terms.roundWindow;
  if (proposal.finishedAt < begunAt - CLOCK || proposal.finishedAt > now + CLOCK)
    throw disagree("its clock is wrong");
  const root =
    proposal.root &&
    (await bringRoot(context, journal, state, { by, proposer, root: proposal.root }, options));
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
          ...(root !== undefined && { root }),
          agree: (measured) => agreedMeasurements(measured, proposal),
          replay: async (at, suspects) => {
            const found = await replay(context, journal, at, { round, updates, suspects }, options);
            return sameFindings(found, updates, proposal);
          },
        },
        options,
      ),
  });
  const model = await journal.step(`proposed-model-${tag}`, {
    prepare: () => proposedFiles(place, round, by).parcel,
    act: async (path): Promise<ServedParcel> => {
      const { root: parcel, key, bytes } = proposal.model;
      const most = parcelBytes(8 * parameters + (16 << 20));
      const { endpoint } = proposer;
      const blob = await transport.fetch(
        { endpoint, root: parcel, path, maxBytes: most, size: bytes },
        options,
      );
      const into = `${path}-opened`;
      await rm(into, { recursive: true, force: true });
      await parcels.open({ blob, sessionKey: key, into, limits: { maxBytes: most, maxFiles: 1 } }, options);
      const held = readExactModel(await readBounded(join(into, EXACT_FILE), 8 * parameters + (16 << 20)));
      await rm(into, { recursive: true, force: true });
      if (modelDigest(createHash("sha256"), held.layout, held.vector) !== aggregated.digest)
        throw disagree("its model is not what the updates come to");
      return { blob, key };
    },
  });
  const closed = booksOf(context, state, {
    ...{ lead: proposer.account, aggregated, messages: proposal.updates, model: proposal.model },
    ...{ finishedAt: proposal.finishedAt, seconds: proposal.seconds, sign: () => proposal.signature },
  });
  if (signerOf(closed.closing.ledgerTip, proposal.signature) !== proposer.account.toLowerCase())
    throw disagree("its books come to something else");
  await hosting.add(model.blob);
  return { closed, model, memory: aggregated.memory };
}

/** The proposer's root update, once one that is made here is seen to be the same training. */
async function bringRoot(
  context: WorkerContext,
  journal: JobJournal,
  { round, place }: RoundState,
  { by, proposer, root }: { by: number; proposer: Lead; root: NonNullable<RoundProposal["root"]> },
  options: Abortable,
): Promise<string> {
  const { files, draft } = place;
  const { parameters } = draft.spec.federated;
  const vector = readVector(files.model(round), parameters);
  const made = await rootUpdate(context, journal, place, { round, vector }, options);
  const into = `${files.rootUpdate(round)}-${by}`;
  const maxBytes = maxUpdateBytes(parameters);
  const { endpoint } = proposer;
  const request = { endpoint, root: root.root, path: `${into}.parcel`, maxBytes, size: root.bytes };
  const blob = await context.transport.fetch(request, options);
  await rm(into, { recursive: true, force: true });
  await context.parcels.open(
    { blob, sessionKey: root.key, into, limits: { maxBytes, maxFiles: 1 } },
    options,
  );
  const path = join(into, files.rootUpdate(round).split("/").at(-1)!);
  await checkRoot(path, made, parameters);
  return path;
}

/**
 * Checks that a root update is the training that was done here.
 * @throws FEDERATED_DISAGREED
 */
export async function checkRoot(path: string, made: string, parameters: number): Promise<void> {
  const valuesOf = async (file: string) => decodeUpdate(openUpdate(await readFile(file), parameters));
  if (!sameTraining(await valuesOf(path), await valuesOf(made)))
    throw disagree("its root update is none of its rows");
}
