import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Receipt } from "../../../../ports/market.ts";
import { seedTip } from "../../../../protocol/job/seeds.ts";
import { encodeLocator, endpointFor } from "../../../../protocol/parcel/locator.ts";
import type { RoleContext } from "../../../context.ts";
import { transact } from "../../../shared/transact.ts";
import type { Draft } from "./draft.ts";

/** Posts the job: locks its money and sends the provider the sealed locator of the bundle. */
export function post(
  { market, keyring }: RoleContext,
  journal: JobJournal,
  { terms, identity, bundle, bundleKey, mask, seedSecret, provider }: Draft,
  options: Abortable,
): Promise<Receipt> {
  return transact(
    market,
    journal,
    async () => {
      const locator = encodeLocator({
        kind: "bundle",
        bundle: endpointFor(identity.endpoint, provider.keys.fingerprint),
        bundleBytes: bundle.size,
        bundleKey,
        mask,
      });
      const sealed = await keyring.seal(locator, provider);
      return { kind: "post", terms, seedTip: seedTip(seedSecret), sealed };
    },
    { ...options, name: "post" },
  );
}
