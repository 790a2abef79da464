import type { JobJournal } from "../../../../ports/journal.ts";
import type { Receipt } from "../../../../ports/market.ts";
import { seedTip } from "../../../../protocol/job/seeds.ts";
import { encodeLocator, endpointFor } from "../../../../protocol/parcel/locator.ts";
import type { RoleContext, Waits } from "../../../context.ts";
import { transact } from "../../../shared/transact.ts";
import type { Draft } from "./draft.ts";

/** Locks the money and tells the provider, sealed, where the bundle is. */
export function post(
  { market, keyring }: RoleContext,
  journal: JobJournal,
  { terms, identity, bundle, bundleKey, mask, seedSecret, provider }: Draft,
  waits: Waits,
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
    { ...waits, name: "post" },
  );
}
