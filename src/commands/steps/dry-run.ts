import { requireKeystore } from "../../account/keystore.ts";
import { openKeyCheck } from "../../compose.ts";
import { ZERO_ADDRESS } from "../../protocol/ids.ts";
import type { JobFile } from "../../protocol/task/spec.ts";
import { partyOf } from "../../roles/shared/party.ts";
import { coin, duration } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import type { PlanChoice } from "./choose.ts";
import { refuseUnaffordable } from "./funds.ts";
import { quotedPlan } from "./quoted-plan.ts";
import { withReader } from "./reader.ts";

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
    const { plan, locked, gas } = await quotedPlan(context, { market, account }, file, choice);
    const { provider, validators, outline, spec, audit } = plan;
    const keyring = await openKeyCheck();
    for (const party of [provider, ...validators]) {
      await partyOf({ market, keyring }, party.account, { signal });
    }
    await refuseUnaffordable(market, account, locked, { signal });
    const { price, validatorFee, providerStake, validatorStake, windows } = outline;
    const data = {
      dryRun: true,
      account,
      provider: provider.account,
      validators: validators.map((one) => one.account),
      price,
      validatorFee,
      providerStake,
      validatorStake,
      locked,
      balance: await market.balance(account, { signal }),
      gas,
      validated: { streak: audit.streak, probability: audit.probability },
      windows,
      spec,
    };
    ui.print(data, () => {
      const { mode, metric, goal, threshold, tolerance } = spec.verification;
      const rows: [string, string][] = [
        ["provider", provider.account],
        ...validators.map((one): [string, string] => ["validator", one.account]),
        ["command", spec.command.join(" ")],
        ["image", typeof spec.image === "string" ? spec.image : "in the bundle"],
        [
          "judged by",
          `${mode}, ${metric} ${goal === "max" ? ">=" : "<="} ${threshold}, tolerance ${tolerance}`,
        ],
        ["price", `${coin(price)}, and ${coin(validatorFee)} for each validator`],
        ["stake at risk", `${coin(providerStake)} provider, ${coin(validatorStake)} validator`],
        ["locked", `${coin(locked)} of ${coin(data.balance)}; gas at most ${coin(gas.cost)} now`],
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
