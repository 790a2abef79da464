import type { Abortable } from "../../../async/abort.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Receipt } from "../../../ports/market.ts";
import type { Hosting } from "../../../ports/transport.ts";
import type { Job } from "../../../protocol/job/job.ts";
import type { Party } from "../../../protocol/offer.ts";
import { encodeLocator, endpointFor, tokenFor } from "../../../protocol/parcel/locator.ts";
import type { RoleContext } from "../../context.ts";
import type { HostedOnce } from "../../shared/host-once.ts";
import { transact } from "../../shared/transact.ts";
import type { Collected } from "./collect.ts";
import { examPlace } from "./exam.ts";
import { bundleBytes, type Draft } from "./posting/draft.ts";

/** Confirms on the chain that the requester holds the encrypted result, and sends each validator its sealed locator. */
export async function appoint(
  { market, keyring }: RoleContext,
  journal: JobJournal,
  {
    job,
    draft,
    collected,
    hosting,
    exam,
  }: { job: Job; draft: Draft; collected: Collected; hosting: Hosting; exam: HostedOnce | undefined },
  options: Abortable,
): Promise<Receipt> {
  const { endpoint } = draft.identity;
  for (const { keys } of draft.validators)
    await hosting.admit({ ...keys, token: tokenFor(endpoint.token, keys.fingerprint) });
  // Its validators look for the exam as soon as they are appointed.
  await exam?.start();
  return transact(
    market,
    journal,
    async () => {
      const locatorFor = ({ keys: { fingerprint } }: Party) =>
        encodeLocator({
          kind: "validation",
          bundle: endpointFor(endpoint, fingerprint),
          bundleBytes: bundleBytes(draft),
          bundleKey: draft.bundleKey,
          mask: draft.mask,
          result: endpointFor(collected.locator.result, fingerprint),
          resultBytes: collected.result.size,
          reportRoot: collected.report.root,
          exam: draft.exam && examPlace(draft.exam, fingerprint),
        });
      const seal = async (validator: Party) => ({
        address: validator.account,
        sealed: await keyring.seal(locatorFor(validator), validator),
      });
      return { kind: "appoint", job, validators: await Promise.all(draft.validators.map(seal)) };
    },
    { ...options, name: "appoint" },
  );
}
