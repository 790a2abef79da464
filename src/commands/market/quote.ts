import { IchainError } from "../../errors/error.ts";
import { COIN, coinText } from "../../protocol/amounts.ts";
import { ZERO_ADDRESS } from "../../protocol/ids.ts";
import { marketPrices } from "../../protocol/machine/prices.ts";
import { neutraliseLine } from "../../protocol/neutralise.ts";
import type { Offer } from "../../protocol/offer.ts";
import { type Branch, branchesOf, worstLoss } from "../../protocol/policy/quote.ts";
import { coin, duration, money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { loadFederatedFile } from "../job/federated/load.ts";
import { quoteFederated } from "../job/federated/quote.ts";
import { loadJobFile, surroundingsOf, type VariableOptions } from "../steps/job-file.ts";
import type { PlanChoice } from "../steps/planning/chooser.ts";
import { quotedPlan } from "../steps/planning/quoted-plan.ts";
import { withReader } from "../steps/reader.ts";

/** Says what a job would cost, by whom it would be done, and the worst that each ending takes. */
export async function run(
  context: CommandContext,
  args: { file?: string },
  options: PlanChoice & VariableOptions & { market?: true },
): Promise<void> {
  const { ui, config } = context;
  if (options.market) return printPrices(context);
  if (args.file === undefined) {
    throw new IchainError("USAGE", "A job.yaml is missing.", { hint: "Name a job.yaml, or give --market." });
  }
  const around = surroundingsOf(config);
  const federated = await loadFederatedFile(args.file, around);
  if (federated !== undefined) return await quoteFederated(context, federated);
  const { file } = await loadJobFile(args.file, { ...options, ...around });
  await withReader(context, async ({ market, account = ZERO_ADDRESS }) => {
    const choice = { provider: options.provider ?? "best", validator: options.validator ?? ["best"] };
    const { plan, standing, locked, gas } = await quotedPlan(context, { market, account }, file, choice);
    const { price, validatorFee, providerStake, windows, effort, stop } = plan.outline;
    const validators = plan.validators.length;
    const { token } = plan;
    const inCoin = token === COIN;
    // Stakes are in the coin: what they bring a requester that is paid in a token is another sum.
    const stake = inCoin ? providerStake : 0n;
    const quoted = { price, validatorFee, validators, windows, providerStake: stake, effort, stop };
    const branches = branchesOf(quoted);
    const data = {
      provider: plan.provider.account,
      standing,
      validators: plan.validators.map((one) => one.account),
      token,
      price,
      validatorFee,
      providerStake,
      locked,
      gas,
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
        `${money(data.locked, token)} is locked at posting; gas comes to about ${gas.units}, at most ${coin(data.gas.cost)} now${dataText(gas.dataCost)}.`,
        `The provider: ${standingText(standing)}; "ichain submit --explain" ranks all.`,
        ...(inCoin
          ? []
          : [`Its stake is ${coin(providerStake)}; a tenth of it comes on top where it is yours.`]),
        "",
        ui.table(["IF IT ENDS", "YOU LOSE AT MOST", "WITHIN", "THAT IS"], branches.map(row)),
      ].join("\n");
    });
  });
}

/** What providers ask for an hour, by kind of machine. */
async function printPrices(context: CommandContext): Promise<void> {
  const { ui, signal } = context;
  await withReader(context, async ({ market }) => {
    const offers: Offer[] = [];
    for await (const offer of market.offers({ signal })) offers.push(offer);
    const prices = marketPrices(offers);
    ui.print({ prices }, () =>
      prices.length === 0
        ? "No provider offers anything here yet."
        : ui.table(
            ["TIER", "GPU", "OFFERS", "P10 COIN/H", "MEDIAN", "P90"],
            prices.map(({ tier, gpu, offers: count, p10, median, p90 }) => [
              tier,
              gpu === undefined ? "-" : neutraliseLine(gpu),
              String(count),
              ...[p10, median, p90].map(coinText),
            ]),
          ),
    );
  });
}

const dataText = (cost: bigint): string =>
  cost === 0n ? "" : `, ${coin(cost)} of it for data on the chain below`;

function standingText(standing: number): string {
  if (standing === 0) return "no record that counts yet";
  return `standing ${standing.toFixed(2)} (0 is no record, 1 the most; below 0 more speaks against it)`;
}

const seats = (count: number): string => (count === 1 ? "1 validator" : `${count} validators`);
