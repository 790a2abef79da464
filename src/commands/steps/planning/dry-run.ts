import { requireKeystore } from "../../../account/keystore.ts";
import { openKeyCheck, readBudgets } from "../../../compose.ts";
import { impossible } from "../../../errors/error.ts";
import { COIN, type TokenInfo } from "../../../protocol/amounts.ts";
import { ZERO_ADDRESS } from "../../../protocol/ids.ts";
import { lockedBy } from "../../../protocol/job/terms.ts";
import type { JobFile, Spec } from "../../../protocol/task/spec.ts";
import { refuseOverBudget } from "../../../roles/job/requester/posting/budget.ts";
import { partyOf } from "../../../roles/shared/party.ts";
import { coin, duration, money } from "../../../ui/format.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { withReader } from "../reader.ts";
import { fromRecords } from "../records.ts";
import type { PlanChoice } from "./chooser.ts";
import { refuseUnaffordable } from "./funds.ts";
import { quotedPlan } from "./quoted-plan.ts";

/**
 * Prints everything that `submit` would decide about a job, and throws whatever would keep it from being posted. Asks
 * for no password, packs nothing and sends nothing.
 */
export async function printDryRun(
  context: CommandContext,
  file: JobFile,
  { provider: wanted, validator }: PlanChoice,
): Promise<void> {
  const { ui, signal, config } = context;
  await requireKeystore(config);
  await withReader(context, async ({ market, account = ZERO_ADDRESS }) => {
    const choice = { provider: wanted, validator };
    const { plan, standing, locked, gas } = await quotedPlan(context, { market, account }, file, choice);
    const { provider, validators, outline, spec, audit, token } = plan;
    const keyring = await openKeyCheck();
    for (const party of [provider, ...validators]) {
      await partyOf({ market, keyring }, party.account, { signal });
    }
    await refuseDryOverBudget(context, { locked: lockedBy(outline), token });
    await refuseUnaffordable(market, account, { total: locked, token }, { signal });
    const { price, validatorFee, providerStake, validatorStake, windows } = outline;
    const data = {
      dryRun: true,
      account,
      provider: provider.account,
      standing,
      validators: validators.map((one) => one.account),
      token,
      price,
      validatorFee,
      providerStake,
      validatorStake,
      locked,
      balance:
        token === COIN
          ? await market.balance(account, { signal })
          : (await market.tokenFunds(account, token.address, { signal })).balance,
      gas,
      validated: { streak: audit.streak, probability: audit.probability },
      windows,
      spec,
    };
    ui.print(data, () => {
      const { mode, metric, goal, threshold, tolerance } = spec.verification;
      const rows: [string, string][] = [
        ["provider", `${provider.account}, standing ${standing.toFixed(2)}`],
        ...validators.map((one): [string, string] => ["validator", one.account]),
        ["command", spec.command.join(" ")],
        ["image", imageText(spec.image)],
        [
          "judged by",
          `${mode}, ${metric} ${goal === "max" ? ">=" : "<="} ${threshold}, tolerance ${tolerance}`,
        ],
        ["price", `${money(price, token)}, and ${money(validatorFee, token)} for each validator`],
        ["stake at risk", `${coin(providerStake)} provider, ${coin(validatorStake)} validator`],
        [
          "locked",
          `${money(locked, token)} of ${money(data.balance, token)}; gas at most ${coin(gas.cost)} now`,
        ],
        [
          "windows",
          Object.entries(windows)
            .map(([name, time]) => `${name} ${duration(time)}`)
            .join(", "),
        ],
      ];
      return `${ui.table(["", ""], rows).trimStart()}\n\nNothing was packed or posted.`;
    });
  });
}

/** By the jobs that the journal records, without a password; there are none where there is no journal. */
export async function refuseDryOverBudget(
  context: CommandContext,
  plan: { readonly locked: bigint; readonly token: TokenInfo },
): Promise<void> {
  const budgets = await readBudgets(context.config);
  const counted = await fromRecords(context, (journal) => {
    refuseOverBudget({ journal, budgets }, plan);
    return true;
  });
  if (!counted) refuseOverBudget({ journal: { undertakings: () => [], open: neverOpened }, budgets }, plan);
}

function neverOpened(): never {
  return impossible("a journal without jobs was asked for one");
}

function imageText(image: Spec["image"]): string {
  if (typeof image === "string") return image;
  return "oci" in image ? image.oci : "in the bundle";
}
