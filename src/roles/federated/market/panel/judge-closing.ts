import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { signerOf } from "../../../../protocol/federated/ledger/record.ts";
import { payLeaf, treeRoot } from "../../../../protocol/federated/ledger/tree.ts";
import { findingOf } from "../../../../protocol/federated/market/closing.ts";
import {
  type Evidence,
  ROOT_FILE,
  stateFile,
} from "../../../../protocol/federated/market/dispute/evidence.ts";
import type { Dispute, FederatedJob } from "../../../../protocol/federated/market/job.ts";
import { type Hex, sameAddress } from "../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../context.ts";
import { readVector } from "../../aggregation/vector-file.ts";
import { enlistedIn, partDigest } from "../requester/course.ts";
import { type RoundPlace, rootUpdate } from "../requester/round/aggregate.ts";
import { residualsShown } from "../seat/residuals.ts";
import { checkRoot } from "../seat/round/examine.ts";
import { agreedMeasurements, sameFindings } from "../seat/round/figures.ts";
import { replay } from "../seat/round/replay.ts";
import {
  arrivedOf,
  booksOf,
  disagree,
  proposedFiles,
  type RoundState,
  workOut,
} from "../seat/round/work-out.ts";
import { openCase, type PanelSetup, parentOfRound, soundUpdates, type Testimony } from "./open-case.ts";
import { type CaseFiles, openCasePlace } from "./place.ts";

const NOTHING = `0x${"0".repeat(64)}` as Hex;

/**
 * Works a closed round out again from what one of its validators shows, as its other validators did before they signed:
 * what is exact has to be the same, what was measured near. Resolves with the closing's own finding; undefined where the
 * witness has not worked the round out.
 * @throws FEDERATED_DISAGREED where the round gives something else
 * @throws FEDERATED_MESSAGE_INVALID where it is another round that is shown
 */
export async function judgeClosing(
  context: WorkerContext,
  journal: JobJournal,
  {
    job,
    dispute: { round },
    by,
    case: files,
  }: {
    readonly job: FederatedJob;
    readonly dispute: Dispute;
    /** Names the steps and files of this testimony. */
    readonly by: number;
    readonly case: CaseFiles;
  },
  testimony: Testimony,
  setup: PanelSetup,
  options: Abortable,
): Promise<Hex | undefined> {
  const told = testimony.evidence.closing;
  if (told === undefined) return undefined;
  const opened = await openCase(context, { job, round }, testimony, setup, options);
  const parent = parentOfRound(job, opened.spec, round);
  const place = await openCasePlace(context, journal, files, { job, round, opened }, options);
  await rerun(context, journal, { job, round, by, place, parent, told }, testimony, options);
  return findingOf(job.closings[round - 1]!.closing);
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
  }: {
    readonly job: FederatedJob;
    readonly round: number;
    readonly by: number;
    readonly place: RoundPlace;
    readonly parent: Hex;
    readonly told: NonNullable<Evidence["closing"]>;
  },
  testimony: Testimony,
  options: Abortable,
): Promise<void> {
  const { proposal, lead, memory } = told;
  const { files, draft } = place;
  const { parameters, gossip } = draft.spec.federated;
  const before = job.closings[round - 2];
  const { closing } = job.closings[round - 1]!;
  const earned = told.earned.map(([one, amount]) => [one, BigInt(amount)] as const);
  const root = treeRoot(earned.map(([one, amount]) => payLeaf(one, amount)));
  if (before !== undefined && root !== before.closing.payRoot)
    throw disagree("it begins with other sums than the round before ended with");
  const senders = new Set(proposal.updates.map(({ upload }) => upload.provider));
  if (proposal.measured.length !== proposal.updates.length || senders.size !== proposal.updates.length)
    throw disagree("it measured other updates than it counts");
  const sound = await soundUpdates(context, { job, parent, parameters, gossip }, testimony);
  const pathOf = (upload: Hex) => sound.find(({ message }) => message.parcel.root === upload)?.path;
  for (const { upload, parcel } of proposal.updates) {
    if (pathOf(parcel.root) === undefined) throw disagree(`the update of ${upload.provider} is not shown`);
    const at = enlistedIn(job).findIndex((one) => sameAddress(one, upload.provider));
    const [rows, { train }] = [place.parts[at], place];
    const data = train && rows && (await partDigest(context, { ...place, train }, rows, options));
    if (data !== undefined && data !== upload.data)
      throw disagree(`the update of ${upload.provider} is of other rows than it was dealt`);
  }
  const updates = arrivedOf(
    job,
    proposal.updates,
    (_, { parcel }) => pathOf(parcel.root)!,
    (account, _, path) => residualsShown(context, { job, round, length: parameters }, { account, path }),
  );
  const { states } = proposedFiles(place, round, by);
  for (const i of states.keys()) {
    const shown = join(testimony.folder, stateFile(i));
    if (!existsSync(shown)) throw disagree("the states that it began with are not shown");
    await copyFile(shown, files.state(round, i));
  }
  const rootFile = told.root ? join(testimony.folder, ROOT_FILE) : undefined;
  if (rootFile !== undefined && !existsSync(rootFile)) throw disagree("its root update is not shown");
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
