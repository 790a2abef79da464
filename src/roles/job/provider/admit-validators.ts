import type { Abortable } from "../../../async/abort.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Hosting, Reader } from "../../../ports/transport.ts";
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
  readonly taken: Accepted;
  readonly packed: Packed;
}

/**
 * The validators that have a seat already: a host that comes back begins with them, for who is refused in the
 * middle of a fetch takes it as final.
 */
export async function seatedReaders(
  context: RoleContext,
  { job, taken, packed }: Delivery,
  options: Abortable,
): Promise<Reader[]> {
  const seated: Reader[] = [];
  for (const { validator, abstained } of job.validations) {
    const party = abstained ? undefined : await trustedParty(context, validator, options);
    if (party) seated.push(guestOf(taken, packed, party));
  }
  return seated;
}

/** Lets appointed validators in and gives each the result's key; all of it can be done again harmlessly. */
export async function admitValidators(
  context: RoleContext,
  hosting: Hosting,
  { job, taken, packed }: Delivery,
  options: Abortable,
): Promise<void> {
  const { blob, sessionKey } = packed.result;
  for (const { validator, abstained } of job.validations) {
    const reader = await trustedParty(context, validator, options);
    if (!reader) continue;
    const guest = guestOf(taken, packed, reader);
    // Who has stepped down has no more business here.
    if (abstained) {
      await hosting.dismiss(guest);
      continue;
    }
    hosting.putCapsule(blob.root, guest.fingerprint, await context.keyring.wrap(sessionKey, reader));
    await hosting.admit(guest);
  }
}

/** A validator as the host knows it. */
function guestOf(taken: Accepted, packed: Packed, party: Party): Reader {
  return { ...party.keys, token: endpointOf(taken, packed, party).token };
}

/** Where a validator finds the result, whoever tells it: the requester can derive the same. */
function endpointOf({ bundle }: Accepted, { identity }: Packed, { keys }: Party): Endpoint {
  return endpointFor(identity.endpoint, bundle.requester.fingerprint, keys.fingerprint);
}

/**
 * Tells a drawn validator, which nobody chose and so nobody sealed anything to, where everything is. The
 * requester may be gone: the bundle is served from here as well.
 */
export async function handOver(
  context: RoleContext,
  journal: JobJournal,
  { job, taken, packed }: Delivery,
  options: Abortable,
): Promise<void> {
  for (const { validator, sealed, commitment, abstained } of job.validations) {
    const name = `handover-${validator.toLowerCase()}`;
    const told = sealed !== "0x" || commitment !== undefined || abstained || journal.outcome(name);
    const reader = told ? undefined : await trustedParty(context, validator, options);
    if (!reader) continue;
    const { bundleBytes, bundleKey, mask } = taken.locator;
    const endpoint = endpointOf(taken, packed, reader);
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

/** Opens the run report to the validators, once nobody can commit any more. */
export async function readReport(
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
