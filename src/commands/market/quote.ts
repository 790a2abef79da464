import { ZERO_ADDRESS } from "../../protocol/ids.ts";
import { type Branch, branchesOf, worstLoss } from "../../protocol/policy/quote.ts";
import { coin, duration } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import type { PlanChoice } from "../steps/choose.ts";
import { loadJobFile, type VariableOptions } from "../steps/job-file.ts";
import { quotedPlan } from "../steps/quoted-plan.ts";
import { withReader } from "../steps/reader.ts";

/** Says what a job would cost, by whom it would be done, and the worst that each ending takes. */
export async function run(
  context: CommandContext,
  args: { file: string },
  options: PlanChoice & VariableOptions,
): Promise<void> {
  const { ui } = context;
  const { file } = await loadJobFile(args.file, options);
  await withReader(context, async ({ market, account = ZERO_ADDRESS }) => {
    const choice = { provider: options.provider ?? "best", validator: options.validator ?? ["best"] };
    const { plan, locked, gas } = await quotedPlan(context, { market, account }, file, choice);
    const { price, validatorFee, providerStake, windows, effort, stop } = plan.outline;
    const validators = plan.validators.length;
    const branches = branchesOf({ price, validatorFee, validators, windows, providerStake, effort, stop });
    const data = {
      provider: plan.provider.account,
      validators: plan.validators.map((one) => one.account),
      price,
      validatorFee,
      locked,
      gas,
      validated: { streak: plan.audit.streak, probability: plan.audit.probability },
      branches,
      worstLoss: worstLoss(branches),
    };
    ui.print(data, () => {
      const row = ({ outcome, meaning, loss, seconds }: Branch) => [
        outcome,
        coin(loss),
        duration(seconds),
        meaning,
      ];
      return [
        `Provider ${data.provider}: ${coin(price)}; ${seats(validators)} at ${coin(validatorFee)} each.`,
        `${coin(data.locked)} is locked at posting; gas comes to about ${gas.units}, at most ${coin(data.gas.cost)} now.`,
        "",
        ui.table(["IF IT ENDS", "YOU LOSE AT MOST", "WITHIN", "THAT IS"], branches.map(row)),
      ].join("\n");
    });
  });
}

const seats = (count: number): string => (count === 1 ? "1 validator" : `${count} validators`);
