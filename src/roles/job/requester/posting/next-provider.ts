import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { type JobId, sameAddress } from "../../../../protocol/ids.ts";
import { lockedBy } from "../../../../protocol/job/terms.ts";
import { MAX_FILES, MAX_PARCEL_BYTES } from "../../../../protocol/limits.ts";
import type { AuditPolicy } from "../../../../protocol/policy/audit.ts";
import type { RoleContext } from "../../../context.ts";
import { unpackKept } from "../../../task/kept/kept-inputs.ts";
import { best, choosePlan } from "./choose.ts";
import type { Draft } from "./draft.ts";
import { draftJob } from "./draft-job.ts";
import { placeBundle } from "./host-bundle.ts";
import { audit, findCandidates } from "./plan.ts";

const STEP = "next";

/**
 * Drafts a declined job for the next best provider, from its own bundle: the job's folder may have changed since, or be
 * gone. Resolves with the new job's id, the same one at every call, or with why there is none.
 */
export async function draftForNext(
  context: RoleContext,
  journal: JobJournal,
  draft: Draft,
  policy: AuditPolicy,
  options: Abortable,
): Promise<{ next: JobId } | { why: string }> {
  const known = nextOf(journal);
  if (known !== undefined) return { next: known };
  const { tries = 1, file, declined = [], most } = draft.again ?? {};
  if (file === undefined || tries <= 1) return { why: "no other provider is to be asked" };
  const asked = [...declined, draft.terms.provider];
  const { market, account } = context;
  const found = await findCandidates(market, file, account, options);
  const providers = found.providers.filter((offer) => !asked.some((one) => sameAddress(one, offer.account)));
  if (providers.length === 0) return { why: "no other provider fits it" };
  const plan = await choosePlan(file, { ...found, providers }, best, (provider) =>
    audit({ market, account }, provider, policy, options),
  );
  if (most !== undefined && lockedBy(plan.outline) > most)
    return { why: "the next best provider costs more" };
  const again = { file, tries: tries - 1, declined: asked, most, after: journal.key as JobId };
  const place = await placeBundle(context, plan, options);
  const next = await unpacked(context, draft, options, (folders) =>
    draftJob(context, { file, ...folders, plan, place, again }, options),
  );
  return { next: await journal.step(STEP, { prepare: () => next, act: (id) => id }) };
}

/** The job that was drafted for the next provider; undefined where none was. */
export function nextOf(journal: Pick<JobJournal, "outcome">): JobId | undefined {
  return journal.outcome<JobId>(STEP);
}

/** Whether a draft that `draftForNext` made is to be posted: not before the job that was declined is cancelled. */
export async function turnOf(
  { journal, market }: RoleContext,
  jobId: JobId,
  after: JobId,
  options: Abortable,
): Promise<"post" | "wait" | "discard"> {
  // A crash came between the draft and its record: another draft follows.
  if (nextOf(journal.open("requester", after)) !== jobId) return "discard";
  const { state } = await market.job(after, options);
  return state === "Cancelled" ? "post" : state === "Posted" ? "wait" : "discard";
}

/** Runs `use` with folders of what the draft's bundle and exam were packed from; they are gone afterwards. */
async function unpacked<T>(
  { parcels, jobsDir }: RoleContext,
  { bundle, bundleKey, kept = [], exam }: Draft,
  options: Abortable,
  use: (folders: { folder: string; examFolder: string }) => Promise<T>,
): Promise<T> {
  const dir = await mkdtemp(join(jobsDir, ".again-"));
  const limits = { maxBytes: MAX_PARCEL_BYTES, maxFiles: MAX_FILES };
  const [folder, examFolder] = [join(dir, "bundle"), join(dir, "exam")];
  try {
    await parcels.open({ blob: bundle, sessionKey: bundleKey, into: folder, limits }, options);
    for (const one of kept) await unpackKept(parcels, one, { input: folder }, options);
    if (exam)
      await parcels.open({ blob: exam.blob, sessionKey: exam.key, into: examFolder, limits }, options);
    return await use({ folder, examFolder });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
