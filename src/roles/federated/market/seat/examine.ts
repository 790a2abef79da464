import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Hosting } from "../../../../ports/transport.ts";
import { decodeUpdate, openUpdate } from "../../../../protocol/federated/codec/update.ts";
import { modelDigest } from "../../../../protocol/federated/digest.ts";
import { signerOf } from "../../../../protocol/federated/ledger/record.ts";
import { memberOf } from "../../../../protocol/federated/market/fold.ts";
import type { RoundProposal } from "../../../../protocol/federated/market/seat-messages.ts";
import { readExactModel } from "../../../../protocol/federated/model-file.ts";
import { type ReplayFinding, sameTraining } from "../../../../protocol/federated/replay.ts";
import { type Address, type Hex, sameAddress } from "../../../../protocol/ids.ts";
import { parcelBytes } from "../../../../protocol/limits.ts";
import type { WorkerContext } from "../../../context.ts";
import { readVector } from "../../aggregation/vector-file.ts";
import type { Channel } from "../channel.ts";
import type { Lead } from "../provider/leads.ts";
import { readBounded } from "../read-bounded.ts";
import { type ArrivedUpdate, type RoundMeasurements, rootUpdate } from "../requester/round/aggregate.ts";
import {
  type Arrivals,
  checkUpdate,
  fetchUpdate,
  isUpdateOf,
  maxUpdateBytes,
  updateNoticeOf,
  updatePath,
} from "../requester/round/arrivals.ts";
import type { ClosedRound } from "../requester/round/books.ts";
import { EXACT_FILE, UPDATE_FILE } from "../update-parcel.ts";
import { replay } from "./replay.ts";
import {
  arrivedOf,
  booksOf,
  disagree,
  proposedFiles,
  type RoundState,
  type ServedParcel,
  workOut,
} from "./work-out.ts";

/** How far two machines' floats may be apart: in accuracy, and in a gain beside a hundredth of it; millionths. */
const ACCURACY = 5_000;
const GAIN = 2_000;
/** How far a seat's clock may be from the chain's, seconds. */
const CLOCK = 300;

/** Another seat's proposal that this one would sign. */
export interface Examined {
  readonly closed: ClosedRound;
  readonly model: ServedParcel;
  readonly memory: RoundState["memory"];
}

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
    proposal,
    arrivals,
    members,
    hosting,
  }: {
    /** Place of the proposer among the seats. */
    readonly by: number;
    readonly proposer: Lead & { readonly account: Address };
    readonly proposal: RoundProposal;
    readonly arrivals: Arrivals;
    readonly members: readonly {
      readonly account: Address;
      readonly channel: Channel;
      readonly data: Hex | undefined;
    }[];
    readonly hosting: Hosting;
  },
  options: Abortable,
): Promise<Examined> {
  const { market, parcels, transport } = context;
  const { job, round, place, parent } = state;
  const { files, draft } = place;
  const { parameters } = draft.spec.federated;
  const tag = `${round}-${by}`;
  const domain = market.ledgerDomainOf(job.id);
  const maxBytes = maxUpdateBytes(parameters);
  if (proposal.measured.length !== proposal.updates.length)
    throw disagree("it measured other updates than it counts");
  if (new Set(proposal.updates.map(({ upload }) => upload.provider)).size !== proposal.updates.length)
    throw disagree("it counts an update twice");
  const variant = (account: Address) => `${files.update(round, account)}-${by}`;
  const isHere = (account: Address, root: string) =>
    updateNoticeOf(journal, round, account)?.parcel.root === root;
  for (const message of proposal.updates) {
    const member = members.find(({ account }) => account.toLowerCase() === message.upload.provider);
    if (member === undefined) throw disagree(`${message.upload.provider} is no provider of the job`);
    const { account, channel, data } = member;
    if (!isUpdateOf(message, { account, round, parent }, domain))
      throw disagree(`the update of ${account} is not signed by it`);
    if (updateNoticeOf(journal, round, account) === undefined) await arrivals.take(account, channel, message);
    if (isHere(account, message.parcel.root)) continue;
    // It told this seat of another one.
    await fetchUpdate(context, { channel, message, path: variant(account), maxBytes }, options);
    await checkUpdate(variant(account), message, { parameters, maxBytes, data });
  }
  const own = proposal.updates.filter(({ upload, parcel }) => isHere(upload.provider, parcel.root));
  if (!(await arrivals.haveAll(own.map(({ upload }) => asMember(members, upload.provider)))))
    throw disagree("an update that it counts cannot be used");
  for (const account of arrivals.present()) {
    const counted = proposal.updates.some(({ upload }) => sameAddress(upload.provider, account));
    if (!counted && memberOf(job, account)?.asserted === round)
      throw disagree(`it leaves out ${account}, which said on the chain that it uploaded`);
  }
  const now = await market.now(options);
  // From the round's beginning on, which a dispute may have put off since.
  const begunAt = job.closings.at(-1)?.closedAt ?? job.deadline - job.terms.roundWindow;
  if (proposal.finishedAt < begunAt - CLOCK || proposal.finishedAt > now + CLOCK)
    throw disagree("its clock is wrong");
  const updates = arrivedOf(job, proposal.updates, (account, message) =>
    isHere(account, message.parcel.root)
      ? updatePath(files, round, account)
      : join(variant(account), UPDATE_FILE),
  );
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

function asMember(members: readonly { readonly account: Address }[], provider: Address): Address {
  return members.find(({ account }) => sameAddress(account, provider))!.account;
}

/**
 * What the proposer measured, once it is seen to be near what was measured here.
 * @throws FEDERATED_DISAGREED
 */
export function agreedMeasurements(
  measured: RoundMeasurements,
  { before, measured: told }: RoundProposal,
): RoundMeasurements {
  if (before === undefined || Math.abs(before.acc - measured.before.acc) * 1e6 > ACCURACY)
    throw disagree("it measured another accuracy of the model");
  const members = measured.members.map((own, i) => {
    const { accuracy, gains } = told[i]!;
    const isNear = (a: number, b: number) => Math.abs(a - b) <= GAIN + Math.abs(b) / 100;
    const same =
      Math.abs(accuracy - own.accuracy) <= ACCURACY &&
      (own.gains === undefined) === (gains === undefined) &&
      (own.gains === undefined ||
        (isNear(gains!.own, own.gains.own) && isNear(gains!.others, own.gains.others)));
    if (!same) throw disagree(`it measured something else of the update of ${own.account}`);
    return { account: own.account, accuracy, ...(gains && { gains }) };
  });
  return { before, members };
}

/**
 * What replays found, once it is seen to be what the proposer says.
 * @throws FEDERATED_DISAGREED
 */
export function sameFindings(
  found: ReadonlyMap<Address, ReplayFinding>,
  updates: readonly ArrivedUpdate[],
  { measured }: RoundProposal,
): ReadonlyMap<Address, ReplayFinding> {
  for (const [i, { account }] of updates.entries())
    if (found.get(account) !== measured[i]!.audit)
      throw disagree(`a replay of ${account} finds something else`);
  return found;
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
