import type { JobJournal } from "../../../../ports/journal.ts";
import type { Blob, HostIdentity } from "../../../../ports/transport.ts";
import type { Hex } from "../../../../protocol/ids.ts";
import type { Terms } from "../../../../protocol/job/terms.ts";
import type { Party } from "../../../../protocol/offer.ts";
import type { Audit } from "../../../../protocol/policy/audit.ts";
import type { Spec } from "../../../../protocol/task/spec.ts";

/** Everything that the requester decided before it told anybody: the journal's first record of a job. */
export interface Draft {
  readonly spec: Spec;
  readonly terms: Terms;
  /** Those who were chosen, with the keys that they had then. */
  readonly provider: Party;
  readonly validators: readonly Party[];
  readonly bundle: Blob;
  readonly bundleKey: Hex;
  readonly mask: Hex;
  /** What the requester's seeds for draws come from. */
  readonly seedSecret: Hex;
  readonly identity: HostIdentity;
  /** How it was decided whether the job is validated. */
  readonly audit: Audit;
}

/** Records the draft; ever after `draftOf` returns it. */
export function recordDraft(journal: JobJournal, draft: Draft): Promise<Draft> {
  return journal.step("draft", { prepare: () => draft, act: (intent) => intent });
}

export function draftOf(journal: JobJournal): Draft | undefined {
  return journal.outcome<Draft>("draft");
}
