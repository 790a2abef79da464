import type { Abortable } from "../../../../async/abort.ts";
import type { Blob, HostIdentity, Hosting, HostRequest } from "../../../../ports/transport.ts";
import type { Party } from "../../../../protocol/offer.ts";
import { tokenFor } from "../../../../protocol/parcel/locator.ts";
import type { RoleContext } from "../../../context.ts";
import { hostOnce } from "../../../shared/host-once.ts";
import { partyOf } from "../../../shared/party.ts";
import type { Plan } from "./plan.ts";

/** Where a bundle will be hosted, and for whom: all that an address needs before anything is packed. */
export interface BundlePlace {
  readonly provider: Party;
  readonly validators: readonly Party[];
  readonly identity: HostIdentity;
}

/**
 * Draws the address of a job's bundle and checks the keys of the chosen parties; the list of offers was not checked.
 * @throws as `partyOf`
 */
export async function placeBundle(
  context: RoleContext,
  plan: Pick<Plan, "provider" | "validators">,
  options: Abortable,
): Promise<BundlePlace> {
  const [provider, ...validators] = await Promise.all(
    [plan.provider, ...plan.validators].map(({ account }) => partyOf(context, account, options)),
  );
  return { provider: provider!, validators, identity: await context.transport.newIdentity() };
}

/** The hosting of one bundle, which ends with its scope (`await using`). */
export interface HostedBundle extends AsyncDisposable {
  /** Publishes the address in the background; where that fails, `serve` tries again. */
  publish(): void;
  /** Resolves once the bundle's parcels are served at the address. Notices go to the `onNotice` of the latest call. */
  serve(bundle: readonly Blob[], onNotice: NonNullable<HostRequest["onNotice"]>): Promise<Hosting>;
}

/**
 * Publishing takes seconds, so that it is begun while the bundle is packed. The validators are admitted from the start,
 * before they are appointed: a host that changes its readers cannot be reached for a moment.
 */
export function hostBundle(
  context: RoleContext,
  { provider, validators, identity }: BundlePlace,
  options: Abortable,
): HostedBundle {
  const readers = [provider, ...validators].map(({ keys }) => ({
    ...keys,
    token: tokenFor(identity.endpoint.token, keys.fingerprint),
  }));
  let served: { bundle: readonly Blob[]; onNotice: NonNullable<HostRequest["onNotice"]> } | undefined;
  const request = (): HostRequest => ({
    identity,
    blobs: served?.bundle ?? [],
    readers,
    // Without a bundle the host refuses every notice.
    onNotice: async (root, notice) => served?.onNotice(root, notice),
  });
  const hosting = hostOnce(context, "bundle", request, options);
  return {
    publish: () => void hosting.start().catch(() => undefined),
    async serve(bundle, onNotice) {
      served = { bundle, onNotice };
      const live = await hosting.start();
      for (const blob of bundle) await live.add(blob);
      return live;
    },
    [Symbol.asyncDispose]: () => hosting[Symbol.asyncDispose](),
  };
}
