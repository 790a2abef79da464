import { COIN } from "../../protocol/amounts.ts";
import { ZERO_ADDRESS } from "../../protocol/ids.ts";
import { lockedBy } from "../../protocol/job/terms.ts";
import { type Branch, branchesOf, gasOf, worstLoss } from "../../protocol/policy/quote.ts";
import { choosePlan } from "../../roles/job/requester/posting/choose.ts";
import { audit, findCandidates } from "../../roles/job/requester/posting/plan.ts";
import { coin, duration, money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { chooserOf, type PlanChoice } from "../steps/chooser.ts";
import { loadJobFile } from "../steps/job-file.ts";
import { withReader } from "../steps/reader.ts";

/** Says what a job would cost, by whom it would be done, and the worst that each ending takes. */
export async function run(
  context: CommandContext,
  args: { file: string },
  options: PlanChoice,
): Promise<void> {
  const { ui, signal, config } = context;
  const { file } = await loadJobFile(args.file, config.network?.tokens ?? {});
  await withReader(context, async ({ market, account = ZERO_ADDRESS }) => {
    const candidates = await findCandidates(market, file, account, { signal });
    const choice = { provider: options.provider ?? "best", validator: options.validator ?? ["best"] };
    // Without chance: what is quoted is the job with the validators that it asks for.
    const plan = await choosePlan(file, candidates, chooserOf(ui, candidates, choice), (provider) =>
      audit({ market, account }, provider, config.audit, { signal }, () => 0),
    );
    const { price, validatorFee, providerStake, windows, effort, stop } = plan.outline;
    const validators = plan.validators.length;
    const { token } = plan;
    const inCoin = token === COIN;
    // Stakes are in the coin: what they bring a requester that is paid in a token is another sum.
    const stake = inCoin ? providerStake : 0n;
    const quoted = { price, validatorFee, validators, windows, providerStake: stake, effort, stop };
    const branches = branchesOf(quoted);
    const gas = { units: gasOf({ validators, permit: !inCoin }), price: await market.gasPrice({ signal }) };
    const data = {
      provider: plan.provider.account,
      validators: plan.validators.map((one) => one.account),
      token,
      price,
      validatorFee,
      providerStake,
      locked: lockedBy(plan.outline),
      gas: { ...gas, cost: BigInt(gas.units) * gas.price },
      validated: { streak: plan.audit.streak, probability: plan.audit.probability },
      branches,
      worstLoss: worstLoss(branches),
    };
    ui.print(data, () => {
      const row = ({ outcome, meaning, loss, seconds }: Branch) => [
        outcome,
        money(loss, token),
        duration(seconds),
        meaning,
      ];
      return [
        `Provider ${data.provider}: ${money(price, token)}; ${seats(validators)} at ${money(validatorFee, token)} each.`,
        `${money(data.locked, token)} is locked at posting; gas comes to about ${gas.units}, at most ${coin(data.gas.cost)} now.`,
        ...(inCoin
          ? []
          : [`Its stake is ${coin(providerStake)}; a tenth of it comes on top where it is yours.`]),
        "",
        ui.table(["IF IT ENDS", "YOU LOSE AT MOST", "WITHIN", "THAT IS"], branches.map(row)),
      ].join("\n");
    });
  });
}

const seats = (count: number): string => (count === 1 ? "1 validator" : `${count} validators`);
