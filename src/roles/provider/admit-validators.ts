import type { JobJournal } from "../../ports/journal.ts";
import type { Hosting } from "../../ports/transport.ts";
import type { Job } from "../../protocol/job.ts";
import { type BundleLocator, encodeLocator } from "../../protocol/locator.ts";
import type { RoleContext, Waits } from "../context.ts";
import { trustedParty } from "../shared/party.ts";
import { transact } from "../shared/transact.ts";
import type { Packed } from "./pack-result.ts";

/** Lets appointed validators in and gives each the result's key; all of it can be done again harmlessly. */
export async function admitValidators(
  context: RoleContext,
  hosting: Hosting,
  job: Job,
  { result: { blob, sessionKey } }: Packed,
  waits: Waits,
): Promise<void> {
  for (const { validator } of job.validations) {
    const reader = await trustedParty(context, validator, waits);
    if (!reader) continue;
    const capsule = await context.keyring.wrap(sessionKey, reader);
    hosting.putCapsule(blob.root, reader.keys.fingerprint, capsule);
    await hosting.admit(reader.keys);
  }
}

/**
 * Tells a drawn validator, which nobody chose and so nobody sealed anything to, where everything is. The
 * requester may be gone: the bundle is served from here as well.
 */
export async function handOver(
  context: RoleContext,
  journal: JobJournal,
  { job, packed, locator }: { job: Job; packed: Packed; locator: BundleLocator },
  waits: Waits,
): Promise<void> {
  for (const { validator, sealed, commitment, abstained } of job.validations) {
    const name = `handover-${validator.toLowerCase()}`;
    const told = sealed !== "0x" || commitment !== undefined || abstained || journal.outcome(name);
    const reader = told ? undefined : await trustedParty(context, validator, waits);
    if (!reader) continue;
    const { bundleBytes, bundleKey, mask } = locator;
    const { endpoint } = packed.identity;
    const where = encodeLocator({
      kind: "validation",
      bundle: endpoint,
      bundleBytes,
      bundleKey,
      mask,
      result: endpoint,
      resultBytes: packed.result.blob.size,
      reportRoot: packed.report.blob.root,
    });
    const seal = async () => {
      const sealedLocator = await context.keyring.seal(where, reader);
      return { kind: "handover" as const, job, validator, sealed: sealedLocator };
    };
    await transact(context.market, journal, seal, { ...waits, name });
  }
}

/** Opens the run report to the validators, once nobody can commit any more. */
export async function openReport(
  context: RoleContext,
  hosting: Hosting,
  job: Job,
  { report: { blob, sessionKey } }: Packed,
  waits: Waits,
): Promise<void> {
  for (const { validator } of job.validations) {
    const reader = await trustedParty(context, validator, waits);
    if (!reader) continue;
    const capsule = await context.keyring.wrap(sessionKey, reader);
    hosting.putCapsule(blob.root, reader.keys.fingerprint, capsule);
  }
}
