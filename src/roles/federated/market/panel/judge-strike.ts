import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import { isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { CLEAR, GUILTY } from "../../../../protocol/federated/market/closing.ts";
import { memberOf } from "../../../../protocol/federated/market/fold.ts";
import type { Dispute, FederatedJob } from "../../../../protocol/federated/market/job.ts";
import { CONDEMNED_SHARE } from "../../../../protocol/federated/replay.ts";
import { type Address, type Hex, sameAddress } from "../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../context.ts";
import { enlistedIn, partDigest } from "../requester/course.ts";
import { residualsShown } from "../seat/residuals.ts";
import { replayOne } from "../seat/round/replay.ts";
import { openCase, type PanelSetup, parentOfRound, soundUpdates, type Testimony } from "./open-case.ts";
import { type CaseFiles, openCasePlace } from "./place.ts";

/**
 * What a replay of the struck provider's training finds. {CLEAR} as well where what is shown is no update that it signed,
 * or one of other rows than it was dealt: who strikes has to show what for.
 */
export async function judgeStrike(
  context: WorkerContext,
  journal: JobJournal,
  {
    job,
    dispute,
    about,
    case: files,
  }: {
    readonly job: FederatedJob;
    readonly dispute: Dispute;
    readonly about: Address;
    readonly case: CaseFiles;
  },
  testimony: Testimony,
  setup: PanelSetup,
  options: Abortable,
): Promise<Hex | undefined> {
  const { round, number } = dispute;
  const upload = memberOf(job, about)?.strike?.found.upload;
  const opened = await openCase(context, { job, round }, testimony, setup, options);
  const { spec } = opened;
  const { parameters, gossip } = spec.federated;
  const parent = parentOfRound(job, spec, round);
  const sound = await soundUpdates(context, { job, parent, parameters, gossip }, testimony);
  const update = sound.find(
    ({ message }) => message.parcel.root === upload && sameAddress(message.upload.provider, about),
  );
  if (update === undefined) return undefined;
  const place = await openCasePlace(context, journal, files, { job, round, opened }, options);
  const { train } = place;
  const at = enlistedIn(job).findIndex((one) => sameAddress(one, about));
  if (train === undefined) return CLEAR;
  const dealt = await partDigest(context, { ...place, train }, place.parts[at]!, options);
  if (dealt !== update.message.upload.data) return CLEAR;
  // Its own folder: another dispute's replay may be at work.
  const input = join(place.files.dir, `in-dispute-${number}`);
  const name = `replay-dispute-${number}`;
  if (journal.intent(`run-${name}`) === undefined) {
    await rm(input, { recursive: true, force: true });
    await cp(place.tasks.input, input, { recursive: true });
  }
  const account = enlistedIn(job)[at]!;
  const residuals = residualsShown(
    context,
    { job, round, length: parameters },
    { account, path: update.path },
  );
  const finding = await replayOne(
    context,
    journal,
    { ...place, train, tasks: { ...place.tasks, input } },
    {
      name,
      round,
      most: CONDEMNED_SHARE,
      update: { account, place: at, path: update.path, residuals },
    },
    options,
  ).catch((error: unknown) => {
    // A task that fails shows nothing against its provider; one that was ended by this machine shows nothing at all.
    if (!isIchainError(error, "FEDERATED_TASK_FAILED") || error.details.isCutShort === true) throw error;
    return "clean";
  });
  await rm(input, { recursive: true, force: true });
  // Another witness may show the residuals, without which nothing is known.
  if (finding === "withheld") return undefined;
  return finding === "proven" ? GUILTY : CLEAR;
}
