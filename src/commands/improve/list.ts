import { shortId } from "../../protocol/ids.ts";
import { money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { withReader } from "../steps/reader.ts";
import { readTokens } from "../steps/tokens.ts";
import { improvementData } from "./view.ts";

/** Lists the improvement markets of the network that hold money, newest campaign first. */
export async function run(context: CommandContext, _args: object, options: { all?: true }): Promise<void> {
  const { ui, signal } = context;
  await withReader(context, async ({ market }) => {
    const now = await market.now({ signal });
    const found = (await market.campaigns({}, { signal })).filter(({ improvement }) => improvement).reverse();
    const paidIn = found.map(({ terms }) => terms.token);
    const tokens = await readTokens(context, market, paidIn, { signal });
    const markets = found
      .map((one) => improvementData(one, { token: tokens(one.terms.token), now, panel: [] }))
      .filter(({ held }) => options.all || held > 0n);
    ui.print({ markets }, () =>
      markets.length === 0
        ? "No campaign has an improvement market that holds money."
        : ui.table(
            ["CAMPAIGN", "STATE", "BOUNTY", "LEAST STAKE", "STAKES", "HOLDS"],
            markets.map((one) => [
              shortId(one.campaignId),
              one.state,
              money(one.bounty, one.token),
              money(one.leastStake, one.token),
              String(one.stakes.length),
              money(one.held, one.token),
            ]),
          ),
    );
  });
}
