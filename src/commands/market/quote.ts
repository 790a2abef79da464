import { ZERO_ADDRESS } from "../../protocol/ids.ts";
import { type Branch, branchesOf, gasOf, worstLoss } from "../../protocol/policy/quote.ts";
import { audit, findCandidates } from "../../roles/job/requester/posting/plan.ts";
import { coin, duration } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { choosePlan, type PlanChoice } from "../steps/choose.ts";
import { loadJobFile, type VariableOptions } from "../steps/job-file.ts";
import { withReader } from "../steps/reader.ts";

/** Says what a job would cost, by whom it would be done, and the worst that each ending takes. */
export async function run(
  context: CommandContext,
  args: { file: string },
  options: PlanChoice & VariableOptions,
): Promise<void> {
  const { ui, signal, config } = context;
  const { file } = await loadJobFile(args.file, options);
  await withReader(context, async ({ market, account = ZERO_ADDRESS }) => {
    const candidates = await findCandidates(market, file, account, { signal });
    const choice = { provider: options.provider ?? "best", validator: options.validator ?? ["best"] };
    // Without chance: what is quoted is the job with the validators that it asks for.
    const plan = await choosePlan(ui, file, candidates, choice, (provider) =>
      audit({ market, account }, provider, config.audit, { signal }, () => 0),
    );
    const { price, validatorFee, providerStake, windows, effort, stop } = plan.outline;
    const validators = plan.validators.length;
    const branches = branchesOf({ price, validatorFee, validators, windows, providerStake, effort, stop });
    const gas = { units: gasOf({ validators }), price: await market.gasPrice({ signal }) };
    const data = {
      provider: plan.provider.account,
      validators: plan.validators.map((one) => one.account),
      price,
      validatorFee,
      locked: price + validatorFee * BigInt(validators),
      gas: { ...gas, cost: BigInt(gas.units) * gas.price },
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
