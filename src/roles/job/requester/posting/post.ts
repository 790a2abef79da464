import type { Abortable } from "../../../../async/abort.ts";
import { isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Call, PreparedTx, Receipt } from "../../../../ports/market.ts";
import { COIN } from "../../../../protocol/amounts.ts";
import { seedTip } from "../../../../protocol/job/seeds.ts";
import { lockedBy } from "../../../../protocol/job/terms.ts";
import { encodeLocator, endpointFor } from "../../../../protocol/parcel/locator.ts";
import type { RoleContext } from "../../../context.ts";
import { allowEscrow } from "../../../tokens.ts";
import { bundleBytes, type Draft } from "./draft.ts";

/**
 * Posts the job: locks its money and sends the provider the sealed locator of the bundle.
 * @throws PERMIT_EXPIRED, TOKEN_REFUSED
 */
export function post(
  context: Pick<RoleContext, "market" | "keyring" | "reporter">,
  journal: JobJournal,
  draft: Draft,
  options: Abortable,
): Promise<Receipt> {
  const { market, keyring } = context;
  const { terms, identity, bundleKey, mask, seedSecret, provider } = draft;
  return journal.step("post", {
    prepare: async () => {
      const locator = encodeLocator({
        kind: "bundle",
        bundle: endpointFor(identity.endpoint, provider.keys.fingerprint),
        bundleBytes: bundleBytes(draft),
        bundleKey,
        mask,
      });
      const sealed = await keyring.seal(locator, provider);
      return preparePaid(context, { kind: "post", terms, seedTip: seedTip(seedSecret), sealed }, options);
    },
    act: (tx) => market.broadcast(tx, options),
  });
}

/**
 * The posting as a signed transaction. A token is paid by a permit within it, which expires when the job can no longer
 * be posted; a token without permits by an approval before it.
 */
async function preparePaid(
  { market, reporter }: Pick<RoleContext, "market" | "reporter">,
  call: Extract<Call, { kind: "post" }>,
  options: Abortable,
): Promise<PreparedTx> {
  const { token, acceptBy } = call.terms;
  const amount = lockedBy(call.terms);
  if (token === COIN.address || (await market.tokenFunds(market.account, token, options)).allowance >= amount)
    return market.prepare(call, options);
  const permit = await market.signPermit({ token, amount, deadline: acceptBy }, options);
  if (permit !== undefined) {
    try {
      return await market.prepare({ ...call, permit }, options);
    } catch (error) {
      if (!isIchainError(error, "PERMIT_REFUSED")) throw error;
    }
  }
  reporter.emit({
    kind: "info",
    text: "The token takes no permit: it is approved by a transaction of its own",
  });
  await allowEscrow(market, token, amount, options);
  return market.prepare(call, options);
}
