import type { JobJournal } from "../../ports/journal.ts";
import type { Blob, HostIdentity } from "../../ports/transport.ts";
import type { Address, Hex } from "../../protocol/ids.ts";
import type { PublicKeys } from "../../protocol/offer.ts";
import type { Spec } from "../../protocol/spec.ts";
import type { Terms } from "../../protocol/terms.ts";

/** A party that was chosen, with the keys that were read from the registry then. */
export interface Party {
  readonly account: Address;
  readonly keys: PublicKeys;
}

/** Everything that the requester decided before it told anybody: the journal's first record of a job. */
export interface Draft {
  readonly spec: Spec;
  readonly terms: Terms;
  readonly provider: Party;
  readonly validators: readonly Party[];
  readonly bundle: Blob;
  readonly bundleKey: Hex;
  readonly mask: Hex;
  readonly identity: HostIdentity;
}

/** Records the draft; ever after `draftOf` returns it. */
export function recordDraft(journal: JobJournal, draft: Draft): Promise<Draft> {
  return journal.step("draft", { prepare: () => draft, act: (intent) => intent });
}

export function draftOf(journal: JobJournal): Draft | undefined {
  return journal.outcome<Draft>("draft");
}
