import { neutraliseLine } from "../../protocol/neutralise.ts";
import type { Offer } from "../../protocol/offer.ts";
import { bytes, coin } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { meanScore, type OfferFilter, type OfferOrder, passes, sorted } from "../steps/offers.ts";
import { withReader } from "../steps/reader.ts";

/** Lists the market's providers, filtered and sorted. */
export async function run(
  context: CommandContext,
  _args: object,
  options: OfferFilter & { sort: OfferOrder },
): Promise<void> {
  const { ui, signal } = context;
  await withReader(context, async ({ market }) => {
    const found: Offer[] = [];
    for await (const offer of market.offers({ signal })) if (passes(offer, options)) found.push(offer);
    const offers = sorted(found, options.sort);
    ui.print({ providers: offers.map(toData) }, () =>
      offers.length === 0
        ? "No provider matches."
        : ui.table(
            ["ACCOUNT", "NAME", "RATING", "DONE", "COIN/H", "CPUS", "MEMORY", "GPUS", "TIER"],
            offers.map(toRow),
          ),
    );
  });
}

function toData({ keys: _, ...offer }: Offer): object {
  return { ...offer, rating: meanScore(offer.ratingAsProvider) };
}

function toRow({ account, details, ratingAsProvider, priceFloor }: Offer): string[] {
  const mean = meanScore(ratingAsProvider);
  return [
    account,
    neutraliseLine(details.name),
    mean === undefined ? "new" : `${mean.toFixed(1)} (${ratingAsProvider.count})`,
    String(ratingAsProvider.outcomes.settled),
    coin(priceFloor),
    String(details.cpus),
    bytes(details.memoryBytes),
    details.gpus.map((gpu) => neutraliseLine(gpu.model)).join(", ") || "-",
    details.tier,
  ];
}
