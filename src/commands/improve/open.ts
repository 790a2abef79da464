import { IchainError } from "../../errors/error.ts";
import { improvementPriceOf } from "../../protocol/campaign/improvement/market.ts";
import { type ReplaySpec, replayWords, specHashOf } from "../../protocol/campaign/improvement/spec.ts";
import { shortId } from "../../protocol/ids.ts";
import { openImprovement } from "../../roles/campaign/market/improvement/act.ts";
import { inToken } from "../../roles/campaign/market/open.ts";
import { readersOf } from "../../roles/campaign/market/private/readers.ts";
import { instant, money } from "../../ui/format.ts";
import { actIn, isAgreed } from "../data/act.ts";
import type { CommandContext } from "../framework/declaration.ts";

/** Windows of a fix after the one in which it is made, as the contract counts them. */
const FIX_STEPS = 6;

/** Opens the improvement market of a campaign: locks the bounty and the panel's fees. */
export async function run(
  context: CommandContext,
  { id, bounty }: { id: string; bounty: bigint },
  options: {
    stake: bigint;
    fee: bigint;
    step: number;
    show: number;
    model: ReplaySpec["model"];
    words: number;
    yes?: true;
    dryRun?: true;
  },
): Promise<void> {
  const { ui, signal, config } = context;
  if (config.network?.contracts.improvements === undefined)
    throw new IchainError("CONTRACTS_MISSING", "This network names no contract of improvement markets.");
  await actIn(context, id, async ({ role, campaign, token }) => {
    if (readersOf(campaign) !== undefined)
      throw new IchainError("CAMPAIGN_INVALID", "No market can be opened beside a private campaign.", {
        hint: "A panel that is drawn from everybody could not read its rows.",
      });
    const { terms } = campaign;
    const words = replayWords.find((one) => one >= options.words) ?? 65_536;
    const showBy = terms.closesAt + terms.fixWindow + FIX_STEPS * terms.stepWindow + options.show;
    const sum = (amount: bigint) => inToken(amount, token);
    const offer = {
      ...{ bounty: sum(bounty), leastStake: sum(options.stake), fee: sum(options.fee), showBy },
      ...{ stepWindow: options.step, spec: specHashOf({ model: options.model, words }) },
    };
    const amount = improvementPriceOf(offer);
    const data = { campaignId: campaign.id, locks: amount, token, showBy };
    if (options.dryRun)
      return ui.print(
        { ...data, dryRun: true },
        () => `It would lock ${money(amount, token)}; the test set would be shown by ${instant(showBy)}.`,
      );
    const what = `Open a market on what entries improve`;
    if (!(await isAgreed(context, role, { amount, token, what }, options))) return;
    await openImprovement(role, campaign, offer, { signal });
    ui.print(
      data,
      () =>
        `The market of campaign ${shortId(campaign.id)} holds ${money(amount, token)}. Show the first slice now ("ichain data reveal"), and all others from ${instant(terms.closesAt)} to ${instant(showBy)}.`,
    );
  });
}
