import type { Hosting } from "../../ports/transport.ts";
import type { Job } from "../../protocol/job.ts";
import type { RoleContext, Waits } from "../context.ts";
import type { Packed } from "./pack-result.ts";

/** Lets appointed validators in and gives each the result's key; all of it can be done again harmlessly. */
export async function admitValidators(
  { market, keyring }: RoleContext,
  hosting: Hosting,
  job: Job,
  packed: Packed,
  { signal }: Waits,
): Promise<void> {
  for (const { validator } of job.validations) {
    const offer = await market.offer(validator, { signal });
    if (!offer) continue;
    const { openpgpKey, fingerprint } = offer.keys;
    hosting.putCapsule(
      packed.result.blob.root,
      fingerprint,
      await keyring.wrap(packed.result.sessionKey, openpgpKey),
    );
    await hosting.admit(offer.keys);
  }
}

/** Opens the run report to the validators, once nobody can commit any more. */
export async function openReport(
  { market, keyring }: RoleContext,
  hosting: Hosting,
  job: Job,
  { report: { blob, sessionKey } }: Packed,
  { signal }: Waits,
): Promise<void> {
  for (const { validator } of job.validations) {
    const offer = await market.offer(validator, { signal });
    if (!offer) continue;
    const { openpgpKey, fingerprint } = offer.keys;
    hosting.putCapsule(blob.root, fingerprint, await keyring.wrap(sessionKey, openpgpKey));
  }
}
