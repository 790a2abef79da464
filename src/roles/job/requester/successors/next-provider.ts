import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import { type JobId, sameAddress } from "../../../../protocol/ids.ts";
import { lockedBy } from "../../../../protocol/job/terms.ts";
import type { AuditPolicy } from "../../../../protocol/policy/audit.ts";
import type { RoleContext } from "../../../context.ts";
import { bestOf, choosePlan } from "../posting/choose.ts";
import type { Again, Draft } from "../posting/draft.ts";
import { draftJob } from "../posting/draft-job.ts";
import { placeBundle } from "../posting/host-bundle.ts";
import { audit, findCandidates, type Plan } from "../posting/plan.ts";
import { unpackDraft, withCheckpoint } from "./unpack-draft.ts";

const STEP = "next";

/** The job that another one is to follow, or why none is. */
export type Successor = { readonly next: JobId } | { readonly why: string };

/**
 * Drafts a job that was declined, or not answered, for the next best provider, from its own bundle. Resolves with the new job's id, the same one at
 * every call, or with why there is none.
 */
export async function draftForNext(
  context: RoleContext,
  journal: JobJournal,
  draft: Draft,
  policy: AuditPolicy,
  options: Abortable,
): Promise<Successor> {
  const known = nextOf(journal);
  if (known !== undefined) return { next: known };
  const { again } = draft;
  if (again === undefined || again.tries <= 1) return { why: "no other provider is to be asked" };
  const passed = [...again.passed, draft.terms.provider];
  const plan = await planForNext(context, { ...again, passed }, policy, options);
  if ("why" in plan) return plan;
  const place = await placeBundle(context, plan, options);
  const { file } = again;
  const next = await unpackDraft(context, draft, options, (folders) =>
    draftJob(
      context,
      {
        ...{ file: withCheckpoint(file, folders.folder), ...folders, plan, place },
        again: {
          ...{ ...again, tries: again.tries - 1, passed, after: journal.key as JobId },
          asked: [...(again.asked ?? []), journal.key as JobId],
        },
      },
      options,
    ),
  );
  return { next: await journal.step(STEP, { prepare: () => next, act: (id) => id }) };
}

/** The job that was drafted for the next provider when this one's declined; undefined where none was. The intent is all of it. */
export function nextOf(journal: Pick<JobJournal, "intent">): JobId | undefined {
  return journal.intent<JobId>(STEP);
}

/** The plan with the best provider that is left, within what the owner agreed to. */
export async function planForNext(
  context: RoleContext,
  { file, passed, most }: Pick<Again, "file" | "passed" | "most">,
  policy: AuditPolicy,
  options: Abortable,
): Promise<Plan | { readonly why: string }> {
  const { market, account } = context;
  const found = await findCandidates(market, file, account, options);
  const left = found.providers.filter((offer) => !passed.some((one) => sameAddress(one, offer.account)));
  if (left.length === 0) return { why: "no other provider fits it" };
  const providers = left.filter((offer) => most === undefined || found.priceOf(offer) <= most);
  const costsMore = { why: "the next best provider costs more" };
  if (providers.length === 0) return costsMore;
  const plan = await choosePlan(file, { ...found, providers }, bestOf(found), (provider) =>
    audit({ market, account }, provider, policy, options),
  );
  return most !== undefined && lockedBy(plan.outline) > most ? costsMore : plan;
}
