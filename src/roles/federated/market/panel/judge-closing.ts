import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import { isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { signerOf } from "../../../../protocol/federated/ledger/record.ts";
import { payLeaf, treeRoot } from "../../../../protocol/federated/ledger/tree.ts";
import { findingOf } from "../../../../protocol/federated/market/closing.ts";
import {
  type Evidence,
  ROOT_FILE,
  stateFile,
} from "../../../../protocol/federated/market/dispute/evidence.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import { type Address, type Hex, sameAddress } from "../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../context.ts";
import { readVector } from "../../aggregation/vector-file.ts";
import { enlistedIn, partDigest } from "../requester/course.ts";
import { type RoundPlace, rootUpdate } from "../requester/round/aggregate.ts";
import { agreedMeasurements, checkRoot, sameFindings } from "../seat/examine.ts";
import { replay } from "../seat/replay.ts";
import { arrivedOf, booksOf, disagree, proposedFiles, type RoundState, workOut } from "../seat/work-out.ts";
import { parentOfRound } from "./judge-strike.ts";
import { openCase, type PanelSetup, soundUpdates, type Testimony } from "./open-case.ts";
import { type CaseFiles, openCasePlace } from "./place.ts";

const NOTHING = `0x${"0".repeat(64)}` as Hex;

/** What a validator's testimony of a closing comes to. */
export interface Rerun {
  /** The round gives what the closing says. */
  readonly holds: boolean;
  /** Why it does not, for people. */
  readonly why?: string;
  /** Digest of the rows that a provider was dealt. */
  readonly dealt: (account: Address) => Promise<Hex | undefined>;
  /** Roots of the updates that the closing counts. */
  readonly counted: ReadonlySet<Hex>;
  readonly parent: Hex;
  readonly parameters: number;
}

/**
 * Works a closed round out again from what one of its validators shows, as its other validators did before they signed:
 * what is exact has to be the same, what was measured near.
 * @throws FEDERATED_MESSAGE_INVALID where it does not show the round
 */
export async function rerunClosing(
  context: WorkerContext,
  journal: JobJournal,
  {
    job,
    round,
    by,
    case: files,
  }: {
    readonly job: FederatedJob;
    readonly round: number;
    /** Names the steps and files of this testimony. */
    readonly by: number;
    readonly case: CaseFiles;
  },
  testimony: Testimony,
  setup: PanelSetup,
  options: Abortable,
): Promise<Rerun | undefined> {
  const told = testimony.evidence.closing;
  if (told === undefined) return undefined;
  const opened = await openCase(
    context,
    { job, parent: (spec) => parentOfRound(job, spec, round) },
    testimony,
    setup,
    options,
  );
  const { spec } = opened;
  const { parameters } = spec.federated;
  const parent = parentOfRound(job, spec, round);
  const place = await openCasePlace(context, journal, files, { job, round, opened }, options);
  const dealt = async (account: Address) => {
    const { train } = place;
    const at = enlistedIn(job).findIndex((one) => sameAddress(one, account));
    const rows = place.parts[at];
    return train && rows && (await partDigest(context, { ...place, train }, rows, options));
  };
  const counted = new Set(told.proposal.updates.map(({ parcel }) => parcel.root));
  const base = { dealt, counted, parent, parameters };
  try {
    await rerun(context, journal, { job, round, by, place, parent, told, dealt }, testimony, options);
    return { ...base, holds: true };
  } catch (error) {
    if (!isIchainError(error, "FEDERATED_DISAGREED")) throw error;
    return { ...base, holds: false, why: error.message };
  }
}

/** @throws FEDERATED_DISAGREED */
async function rerun(
  context: WorkerContext,
  journal: JobJournal,
  {
    job,
    round,
    by,
    place,
    parent,
    told,
    dealt,
  }: {
    readonly job: FederatedJob;
    readonly round: number;
    readonly by: number;
    readonly place: RoundPlace;
    readonly parent: Hex;
    readonly told: NonNullable<Evidence["closing"]>;
    readonly dealt: Rerun["dealt"];
  },
  testimony: Testimony,
  options: Abortable,
): Promise<void> {
  const { proposal, lead, memory } = told;
  const { files, draft } = place;
  const { parameters } = draft.spec.federated;
  const before = job.closings[round - 2];
  const { closing } = job.closings[round - 1]!;
  const earned = told.earned.map(([one, amount]) => [one, BigInt(amount)] as const);
  const root = treeRoot(earned.map(([one, amount]) => payLeaf(one, amount)));
  if (before !== undefined && root !== before.closing.payRoot)
    throw disagree("it begins with other sums than the round before ended with");
  const senders = new Set(proposal.updates.map(({ upload }) => upload.provider));
  if (proposal.measured.length !== proposal.updates.length || senders.size !== proposal.updates.length)
    throw disagree("it measured other updates than it counts");
  const sound = await soundUpdates(context, { job, parent, parameters }, testimony);
  const pathOf = (upload: Hex) => sound.find(({ message }) => message.parcel.root === upload)?.path;
  for (const { upload, parcel } of proposal.updates) {
    if (pathOf(parcel.root) === undefined) throw disagree(`the update of ${upload.provider} is not shown`);
    const data = await dealt(upload.provider);
    if (data !== undefined && data !== upload.data)
      throw disagree(`the update of ${upload.provider} is of other rows than it was dealt`);
  }
  const updates = arrivedOf(job, proposal.updates, (_, { parcel }) => pathOf(parcel.root)!);
  const { states } = proposedFiles(place, round, by);
  for (const i of states.keys()) await copyFile(join(testimony.folder, stateFile(i)), files.state(round, i));
  const rootFile = told.root ? join(testimony.folder, ROOT_FILE) : undefined;
  if (rootFile !== undefined && place.root !== undefined) {
    const vector = readVector(files.model(round), parameters);
    const made = await rootUpdate(context, journal, place, { round, vector }, options);
    await checkRoot(rootFile, made, parameters);
  }
  const state: RoundState = {
    ...{ job, round, kit: { mask: NOTHING }, place, parent, memory },
    last: before && { earned, closing: before.closing },
  };
  const aggregated = await workOut(
    context,
    journal,
    state,
    by,
    {
      updates,
      ...(rootFile !== undefined && { root: rootFile }),
      agree: (measured) => agreedMeasurements(measured, proposal),
      replay: async (at, suspects) =>
        sameFindings(
          await replay(context, journal, at, { round, updates, suspects }, options),
          updates,
          proposal,
        ),
    },
    options,
  );
  const { finishedAt, seconds } = proposal;
  const closed = booksOf(context, state, {
    ...{ lead, aggregated, messages: proposal.updates, model: proposal.model, finishedAt, seconds },
    sign: () => proposal.signature,
  });
  if (findingOf(closed.closing) !== findingOf(closing)) throw disagree("its updates come to something else");
  if (signerOf(closed.closing.ledgerTip, proposal.signature) !== lead.toLowerCase())
    throw disagree("its books are not signed by who made them");
}
