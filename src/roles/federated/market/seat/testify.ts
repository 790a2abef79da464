import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import {
  EVIDENCE_FILE,
  type Evidence,
  KIT_FOLDER,
  ROOT_FILE,
  stateFile,
  updateFolder,
} from "../../../../protocol/federated/market/dispute/evidence.ts";
import { filesOf } from "../../../../protocol/federated/market/file.ts";
import { memberOf } from "../../../../protocol/federated/market/fold.ts";
import type { Dispute, FederatedJob } from "../../../../protocol/federated/market/job.ts";
import type { UpdateMessage } from "../../../../protocol/federated/market/messages.ts";
import type { RoundProposal } from "../../../../protocol/federated/market/seat-messages.ts";
import { writeExactModel } from "../../../../protocol/federated/model-file.ts";
import { type Address, sameAddress } from "../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../context.ts";
import { readVector } from "../../aggregation/vector-file.ts";
import type { Exhibit } from "../dispute/stand.ts";
import type { RoundPlace } from "../requester/round/aggregate.ts";
import { updateNoticeOf, updatePath } from "../requester/round/arrivals.ts";
import { EXACT_FILE, UPDATE_FILE } from "../update-parcel.ts";
import { workedOut } from "./kept-rounds.ts";
import { residualsFolder } from "./residuals.ts";
import type { Proposed } from "./round/propose.ts";
import { proposedFiles, type WorkedOut } from "./round/work-out.ts";
import type { Kit } from "./take-kit.ts";

/** A signed update and the file in which it lies here. */
interface KeptUpdate {
  readonly message: UpdateMessage;
  readonly path: string;
}

/**
 * Packs what this seat has of a disputed round: the kit, the model that the round began with, and the update in question,
 * or of a closing all that was counted and what was made of it. Undefined where the round's updates are not here.
 */
export async function testify(
  context: WorkerContext,
  journal: JobJournal,
  {
    kit,
    place,
    order,
  }: { readonly kit: Kit; readonly place: RoundPlace; readonly order: readonly Address[] },
  { job, dispute }: { readonly job: FederatedJob; readonly dispute: Dispute },
  options: Abortable,
): Promise<Exhibit | undefined> {
  const { round, about, number } = dispute;
  const { draft, files } = place;
  const told =
    about === undefined
      ? closingTold(journal, place, { job, round, order })
      : {
          updates: struckUpdates(journal, place, { job, about, order }),
          closing: undefined,
          root: undefined,
        };
  const { updates = [], closing, root } = told ?? {};
  if (updates.length === 0 && closing === undefined) return undefined;
  const folder = join(files.dir, `evidence-${number}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, KIT_FOLDER), { recursive: true, mode: 0o700 });
  const { federated } = draft.file;
  for (const name of filesOf(federated))
    await cp(join(draft.folder, name), join(folder, KIT_FOLDER, name), { recursive: true });
  const vector = readVector(files.model(round), draft.spec.federated.parameters);
  await writeFile(join(folder, EXACT_FILE), writeExactModel({ layout: draft.layout, vector }));
  for (const [i, { path }] of updates.entries()) {
    await mkdir(join(folder, updateFolder(i)), { mode: 0o700 });
    await copyFile(path, join(folder, updateFolder(i), UPDATE_FILE));
    const residuals = residualsFolder(path);
    if (existsSync(residuals))
      await cp(residuals, `${join(folder, updateFolder(i))}-residuals`, { recursive: true });
  }
  if (closing !== undefined) {
    const { states } = proposedFiles(place, round, 0);
    for (const i of states.keys()) await copyFile(files.state(round, i), join(folder, stateFile(i)));
    if (root !== undefined) await copyFile(root, join(folder, ROOT_FILE));
  }
  const evidence: Evidence = {
    ...{ round, updates: updates.map(({ message }) => message) },
    kit: { rules: federated, seed: draft.seed },
    ...(closing && { closing }),
  };
  await writeFile(join(folder, EVIDENCE_FILE), JSON.stringify(evidence));
  const packed = await context.parcels.pack({ root: folder, paths: ["."], out: `${folder}.parcel` }, options);
  await rm(folder, { recursive: true, force: true });
  return {
    evidence: { blob: packed.blob, key: packed.sessionKey },
    bundle: { blob: kit.bundle, key: kit.bundleKey },
  };
}

/** The update for which a provider was struck, as often as it is here. */
function struckUpdates(
  journal: JobJournal,
  { files }: RoundPlace,
  {
    job,
    about,
    order,
  }: { readonly job: FederatedJob; readonly about: Address; readonly order: readonly Address[] },
): KeptUpdate[] {
  const found = memberOf(job, about)?.strike?.found;
  if (found === undefined) return [];
  const { round, upload } = found;
  const own = updateNoticeOf(journal, round, about);
  const variants = order.flatMap((_, by): KeptUpdate[] => {
    const proposal = journal.outcome<RoundProposal>(`heard-${round}-${by}`);
    const message = proposal?.updates.find((one) => sameAddress(one.upload.provider, about));
    return message ? [{ message, path: join(`${files.update(round, about)}-${by}`, UPDATE_FILE) }] : [];
  });
  return [...(own ? [{ message: own, path: updatePath(files, round, about) }] : []), ...variants]
    .filter(({ message, path }) => message.parcel.root === upload && existsSync(path))
    .slice(0, 1);
}

/** What this seat worked out of a closed round, by itself or as another proposed it. */
function closingTold(
  journal: JobJournal,
  { files }: RoundPlace,
  {
    job,
    round,
    order,
  }: { readonly job: FederatedJob; readonly round: number; readonly order: readonly Address[] },
):
  | {
      readonly updates: readonly KeptUpdate[];
      readonly closing: NonNullable<Evidence["closing"]>;
      readonly root: string | undefined;
    }
  | undefined {
  const closing = job.closings[round - 1]?.closing;
  const made = closing && workedOut(journal, order, closing);
  if (made === undefined) return undefined;
  const tag = `${round}-${made.by}`;
  const own = journal.outcome<Proposed>(`proposal-${tag}`)?.proposal;
  const proposal = own ?? journal.outcome<RoundProposal>(`heard-${tag}`);
  if (proposal === undefined) return undefined;
  const updates = proposal.updates.map((message): KeptUpdate => {
    const account = message.upload.provider;
    const isHere = updateNoticeOf(journal, round, account)?.parcel.root === message.parcel.root;
    const known = job.members.find((one) => sameAddress(one.account, account))!.account;
    const variant = join(`${files.update(round, known)}-${made.by}`, UPDATE_FILE);
    return { message, path: isHere ? updatePath(files, round, known) : variant };
  });
  if (updates.some(({ path }) => !existsSync(path))) return undefined;
  const before = journal.outcome<WorkedOut>(`adopted-${round - 1}`);
  const rootFile = files.rootUpdate(round);
  const root = own ? rootFile : join(`${rootFile}-${made.by}`, rootFile.split("/").at(-1)!);
  const hasRoot = existsSync(root);
  return {
    updates,
    closing: {
      ...{ lead: order[made.by]!, proposal, root: hasRoot },
      memory: Object.fromEntries(
        Object.entries(before?.memory ?? {}).map(([one, values]) => [one, [...values]]),
      ),
      earned: (before?.closed.earned ?? []).map(([one, amount]) => [one, String(amount)]),
    },
    root: hasRoot ? root : undefined,
  };
}
