import { existsSync } from "node:fs";
import { cp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../../async/abort.ts";
import { IchainError } from "../../../../../errors/error.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import type { Blob } from "../../../../../ports/transport.ts";
import type { FederatedJob } from "../../../../../protocol/federated/market/job.ts";
import type { UpdateMessage } from "../../../../../protocol/federated/market/messages.ts";
import { modelMask, type RoundProposal } from "../../../../../protocol/federated/market/seat-messages.ts";
import { writeExactModel } from "../../../../../protocol/federated/model-file.ts";
import { stateCount } from "../../../../../protocol/federated/server/step.ts";
import { strategyOf } from "../../../../../protocol/federated/strategies.ts";
import type { Memory } from "../../../../../protocol/federated/strategy.ts";
import type { Address, Hex } from "../../../../../protocol/ids.ts";
import { blindKey } from "../../../../../protocol/job/exchange.ts";
import type { WorkerContext } from "../../../../context.ts";
import { readVector } from "../../../aggregation/vector-file.ts";
import { serverStep } from "../../../server-step.ts";
import { enlistedIn } from "../../requester/course.ts";
import {
  type Aggregated,
  type ArrivedUpdate,
  aggregateRound,
  type RoundPlace,
  type RoundRequest,
} from "../../requester/round/aggregate.ts";
import { type ClosedRound, closeBooks } from "../../requester/round/books.ts";
import { EXACT_FILE } from "../../update-parcel.ts";
import type { ShowResiduals } from "../residuals.ts";
import type { Kit } from "../take-kit.ts";
import type { SignedUpdate } from "./replay.ts";

/** A parcel that is hosted here. */
export interface ServedParcel {
  readonly blob: Blob;
  readonly key: Hex;
}

/** What a seat knows before it works a round out. */
export interface RoundState {
  readonly job: FederatedJob;
  readonly round: number;
  readonly kit: Pick<Kit, "mask">;
  readonly place: RoundPlace;
  /** Digest of the model that the round begins with. */
  readonly parent: Hex;
  readonly memory: Memory;
  /** The round before; undefined in the first. */
  readonly last: Pick<ClosedRound, "earned" | "closing"> | undefined;
}

/** A round that a seat worked out: by itself, or as another proposes it. */
export interface WorkedOut {
  readonly closed: ClosedRound;
  readonly model: ServedParcel;
  /** After the round. */
  readonly memory: Memory;
}

/** Names of the files of the model and states that the seat `by` proposes for the next round. */
export function proposedFiles({ files, draft }: RoundPlace, round: number, by: number) {
  const { federated } = draft.file;
  const count = stateCount(serverStep(federated, strategyOf(federated.strategy)!));
  const base = files.proposed(round, by);
  return {
    model: `${base}.vector`,
    states: Array.from({ length: count }, (_, i) => `${base}-state-${i}.vector`),
    parcel: `${base}.parcel`,
  };
}

/**
 * Runs `work` with the inputs of its tasks in a folder for what the seat `by` tells, so that another's can be worked out
 * meanwhile.
 */
export async function withOwnInput<T>(
  place: RoundPlace,
  { round, by }: { readonly round: number; readonly by: number },
  work: (own: RoundPlace) => Promise<T>,
): Promise<T> {
  const input = join(place.files.dir, `in-${round}-${by}`);
  // What a run was given before a crash is left as it is.
  if (!existsSync(input)) {
    const copy = `${input}-copy`;
    await rm(copy, { recursive: true, force: true });
    await cp(place.tasks.input, copy, { recursive: true });
    await rename(copy, input);
  }
  const done = await work({ ...place, tasks: { ...place.tasks, input } });
  await rm(input, { recursive: true, force: true });
  return done;
}

/** What the updates of a round come to, in files of the seat `by`. */
export async function workOut(
  context: WorkerContext,
  journal: JobJournal,
  { round, place, parent, memory }: RoundState,
  by: number,
  request: Pick<RoundRequest, "updates" | "agree" | "root"> & {
    readonly replay: (
      place: RoundPlace,
      suspects: readonly ArrivedUpdate[],
    ) => ReturnType<NonNullable<RoundRequest["replay"]>>;
  },
  options: Abortable,
): Promise<Aggregated> {
  const { replay, ...rest } = request;
  return await withOwnInput(place, { round, by }, (own) =>
    aggregateRound(
      context,
      journal,
      own,
      {
        ...{ ...rest, round, parent, memory, tag: `${round}-${by}`, next: proposedFiles(place, round, by) },
        replay: (suspects) => replay(own, suspects),
      },
      options,
    ),
  );
}

/** The model in the file `path` as a parcel. */
export async function packExact(
  { parcels }: WorkerContext,
  { draft, files }: RoundPlace,
  { path, out }: { readonly path: string; readonly out: string },
  options: Abortable,
): Promise<ServedParcel> {
  const vector = readVector(path, draft.spec.federated.parameters);
  await writeFile(join(files.rounds, EXACT_FILE), writeExactModel({ layout: draft.layout, vector }));
  const packed = await parcels.pack({ root: files.rounds, paths: [EXACT_FILE], out }, options);
  await rm(join(files.rounds, EXACT_FILE), { force: true });
  return { blob: packed.blob, key: packed.sessionKey };
}

/** The books of a round as the seat `lead` has to close them; every seat computes the same. */
export function booksOf(
  context: Pick<WorkerContext, "market">,
  { job, round, kit, place, parent, last }: RoundState,
  {
    lead,
    sign,
    aggregated,
    messages,
    model,
    finishedAt,
    seconds,
  }: Pick<RoundProposal, "finishedAt" | "seconds"> & {
    readonly lead: Address;
    readonly sign: (hash: Hex) => Hex;
    readonly aggregated: Aggregated;
    /** Of the updates that count. */
    readonly messages: readonly UpdateMessage[];
    readonly model: { readonly root: Hex; readonly key: Hex };
  },
): ClosedRound {
  const seats = job.members.filter(({ seat }) => seat).map(({ account }) => account);
  const before = job.closings[round - 2];
  return closeBooks(context.market.ledgerDomainOf(job.id), place.draft, {
    ...{ round, aggregated, parent, lead: lead.toLowerCase() as Address, sign },
    members: enlistedIn(job).map((account, i) => ({ account, rows: place.parts[i]!.length })),
    uploads: messages
      .map(({ upload, signature }) => ({ upload, signature }))
      .toSorted((a, b) => (a.upload.provider < b.upload.provider ? -1 : 1)),
    ...{ earned: last?.earned ?? [], previous: last?.closing.ledgerTip ?? NOTHING, model: model.root },
    bytes: new Map(messages.map(({ upload, parcel }) => [upload.provider, parcel.bytes])),
    times: { finishedAt, seconds },
    ...{ seated: seats.length, feeFor: before === undefined ? seats : before.signers },
    blindedKey: blindKey(model.key, modelMask(kit.mask, round)),
  });
}

const NOTHING = `0x${"0".repeat(64)}` as Hex;

/** The providers of these messages, with the files in which their updates lie. */
export function arrivedOf(
  job: FederatedJob,
  messages: readonly UpdateMessage[],
  pathOf: (account: Address, message: UpdateMessage) => string,
  residualsOf?: (account: Address, message: UpdateMessage, path: string) => ShowResiduals | undefined,
): SignedUpdate[] {
  const providers = enlistedIn(job);
  return messages.map((message) => {
    const place = providers.findIndex((one) => one.toLowerCase() === message.upload.provider);
    if (place < 0) throw disagree(`${message.upload.provider} is no provider of the job`);
    const account = providers[place]!;
    const path = pathOf(account, message);
    const residuals = residualsOf?.(account, message, path);
    return { ...{ account, place, path, upload: message.parcel.root }, ...(residuals && { residuals }) };
  });
}

/** This seat does not sign what another proposes. */
export function disagree(why: string): IchainError {
  return new IchainError(
    "FEDERATED_DISAGREED",
    `Another validator's account of a round is not signed: ${why}.`,
  );
}
