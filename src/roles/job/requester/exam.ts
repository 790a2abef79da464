import type { Abortable } from "../../../async/abort.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Hex } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { type ExamPlace, encodeLocator, endpointFor, tokenFor } from "../../../protocol/parcel/locator.ts";
import type { RoleContext } from "../../context.ts";
import { type HostedOnce, hostOnce } from "../../shared/host-once.ts";
import { trustedParty } from "../../shared/party.ts";
import { transact } from "../../shared/transact.ts";
import type { Draft } from "./posting/draft.ts";

type Exam = NonNullable<Draft["exam"]>;

/** Where a validator finds the exam. */
export function examPlace({ identity, blob, key }: Exam, fingerprint: Hex): ExamPlace {
  return { endpoint: endpointFor(identity.endpoint, fingerprint), root: blob.root, key };
}

/** The exam's own hosting, which the provider is no reader of; undefined for a job without. */
export function hostExam(
  context: RoleContext,
  { exam, validators }: Draft,
  options: Abortable,
): HostedOnce | undefined {
  if (exam === undefined) return undefined;
  const readers = validators.map(({ keys }) => readerOf(exam, keys));
  return hostOnce(context, "exam", () => ({ identity: exam.identity, blobs: [exam.blob], readers }), options);
}

/**
 * Admits drawn validators to the exam and sends each its place, sealed. One that gets none counts the exam as passed: a
 * requester must not undo a verdict by hiding it.
 */
export async function handOverExam(
  context: RoleContext,
  journal: JobJournal,
  { job, draft, hosting }: { job: Job; draft: Draft; hosting: HostedOnce },
  options: Abortable,
): Promise<void> {
  const { exam } = draft;
  const waiting = job.validations.filter(
    ({ drawn, sealedExam, commitment, abstained }) =>
      drawn && sealedExam === undefined && commitment === undefined && !abstained,
  );
  if (exam === undefined) return;
  for (const { validator } of waiting) {
    const party = await trustedParty(context, validator, options);
    if (party === undefined) continue;
    const live = await hosting.start();
    await live.admit(readerOf(exam, party.keys));
    const call = async () => {
      const locator = encodeLocator({ kind: "exam", ...examPlace(exam, party.keys.fingerprint) });
      return {
        kind: "handover" as const,
        job,
        validator,
        sealed: await context.keyring.seal(locator, party),
      };
    };
    await transact(context.market, journal, call, { ...options, name: `exam-${validator.toLowerCase()}` });
  }
}

function readerOf({ identity }: Exam, keys: { fingerprint: Hex; onionKey: Hex }) {
  return { ...keys, token: tokenFor(identity.endpoint.token, keys.fingerprint) };
}
