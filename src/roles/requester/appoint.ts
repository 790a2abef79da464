import type { JobJournal } from "../../ports/journal.ts";
import type { Receipt } from "../../ports/market.ts";
import type { Hosting } from "../../ports/transport.ts";
import type { Job } from "../../protocol/job.ts";
import { encodeLocator } from "../../protocol/locator.ts";
import type { Party } from "../../protocol/offer.ts";
import type { RoleContext, Waits } from "../context.ts";
import { transact } from "../shared/transact.ts";
import type { Collected } from "./collect.ts";
import type { Draft } from "./draft.ts";

/** Says on the chain that the encrypted result is here, and tells each validator where everything is. */
export async function appoint(
  { market, keyring }: RoleContext,
  journal: JobJournal,
  { job, draft, collected, hosting }: { job: Job; draft: Draft; collected: Collected; hosting: Hosting },
  waits: Waits,
): Promise<Receipt> {
  for (const { keys } of draft.validators) await hosting.admit(keys);
  return transact(
    market,
    journal,
    async () => {
      const locator = encodeLocator({
        kind: "validation",
        bundle: draft.identity.endpoint,
        bundleBytes: draft.bundle.size,
        bundleKey: draft.bundleKey,
        mask: draft.mask,
        result: collected.locator.result,
        resultBytes: collected.result.size,
        reportRoot: collected.locator.reportRoot,
      });
      const seal = async (validator: Party) => ({
        address: validator.account,
        sealed: await keyring.seal(locator, validator),
      });
      return { kind: "appoint", job, validators: await Promise.all(draft.validators.map(seal)) };
    },
    { ...waits, name: "appoint" },
  );
}
