import type { Abortable } from "../../../async/abort.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { HostIdentity, Hosting, Reader } from "../../../ports/transport.ts";
import type { Job } from "../../../protocol/job/job.ts";
import type { Party } from "../../../protocol/offer.ts";
import { type Endpoint, encodeLocator, endpointFor } from "../../../protocol/parcel/locator.ts";
import type { RoleContext } from "../../context.ts";
import { trustedParty } from "../../shared/party.ts";
import { transact } from "../../shared/transact.ts";
import type { Accepted } from "./accept.ts";
import type { Packed } from "./pack-result.ts";

export interface Delivery {
  readonly job: Job;
  readonly accepted: Accepted;
  readonly packed: Packed;
}

/**
 * The validators that have a seat already. A host that restarts admits them from the start, because a reader that is
 * refused in the middle of a fetch gives up.
 */
export async function seatedReaders(
  context: RoleContext,
  { job, accepted, identity }: Pick<Delivery, "job" | "accepted"> & { identity: HostIdentity },
  options: Abortable,
): Promise<Reader[]> {
  const seated: Reader[] = [];
  for (const { validator, abstained } of job.validations) {
    const party = abstained ? undefined : await trustedParty(context, validator, options);
    if (party) seated.push(readerOf(accepted, identity, party));
  }
  return seated;
}

/** Admits the appointed validators and publishes the result's key for each; safe to repeat. */
export async function admitValidators(
  context: RoleContext,
  hosting: Hosting,
  { job, accepted, packed }: Delivery,
  options: Abortable,
): Promise<void> {
  const { blob, sessionKey } = packed.result;
  for (const { validator, abstained } of job.validations) {
    const party = await trustedParty(context, validator, options);
    if (!party) continue;
    const reader = readerOf(accepted, packed.identity, party);
    if (abstained) {
      await hosting.dismiss(reader);
      continue;
    }
    hosting.putCapsule(blob.root, reader.fingerprint, await context.keyring.wrap(sessionKey, party));
    await hosting.admit(reader);
  }
}

/** The validator with its token; it opens the address with the guest key (`hostResult`). */
function readerOf(accepted: Accepted, identity: HostIdentity, party: Party): Reader {
  const { fingerprint } = party.keys;
  return { fingerprint, token: endpointOf(accepted, identity, party).token };
}

/** Where a validator finds the result; the requester derives the same endpoint. */
function endpointOf({ bundle }: Accepted, identity: HostIdentity, { keys }: Party): Endpoint {
  return endpointFor(identity.endpoint, bundle.requester.fingerprint, keys.fingerprint);
}

/**
 * Sends drawn validators the sealed locator: nothing was sealed to them when they were drawn. It names this host for
 * the bundle too, because the requester may be offline.
 */
export async function handOver(
  context: RoleContext,
  journal: JobJournal,
  { job, accepted, packed }: Delivery,
  options: Abortable,
): Promise<void> {
  for (const { validator, sealed, commitment, abstained } of job.validations) {
    const name = `handover-${validator.toLowerCase()}`;
    const informed = sealed !== "0x" || commitment !== undefined || abstained || journal.outcome(name);
    const reader = informed ? undefined : await trustedParty(context, validator, options);
    if (!reader) continue;
    const { bundleBytes, bundleKey, mask } = accepted.locator;
    const endpoint = endpointOf(accepted, packed.identity, reader);
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
    await transact(context.market, journal, seal, { ...options, name });
  }
}

/** Publishes the run report's key for the validators. Call it only once all have committed or left. */
export async function shareReport(
  context: RoleContext,
  hosting: Hosting,
  job: Job,
  { report: { blob, sessionKey } }: Packed,
  options: Abortable,
): Promise<void> {
  for (const { validator } of job.validations) {
    const reader = await trustedParty(context, validator, options);
    if (!reader) continue;
    const capsule = await context.keyring.wrap(sessionKey, reader);
    hosting.putCapsule(blob.root, reader.keys.fingerprint, capsule);
  }
}
