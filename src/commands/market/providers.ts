import { coinText } from "../../protocol/amounts.ts";
import { type Address, sameAddress, shortId } from "../../protocol/ids.ts";
import { neutraliseLine } from "../../protocol/neutralise.ts";
import type { Offer } from "../../protocol/offer.ts";
import type { TokenNames } from "../../roles/tokens.ts";
import { bytes, gpuText } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { meanScore, type OfferFilter, type OfferOrder, passes, sorted } from "../steps/offers.ts";
import { withReader } from "../steps/reader.ts";

/** Lists the market's providers, filtered and sorted. */
export async function run(
  context: CommandContext,
  _args: object,
  options: OfferFilter & { sort: OfferOrder },
): Promise<void> {
  const { ui, signal, config } = context;
  const names = config.network?.tokens ?? {};
  await withReader(context, async ({ market }) => {
    const found: Offer[] = [];
    for await (const offer of market.offers({ signal })) if (passes(offer, options)) found.push(offer);
    const offers = sorted(found, options.sort);
    ui.print({ providers: offers.map(toData) }, () =>
      offers.length === 0
        ? "No provider matches."
        : ui.table(
            ["ACCOUNT", "NAME", "RATING", "DONE", "COIN/H", "PAID IN", "CPUS", "MEMORY", "GPUS", "TIER"],
            offers.map((offer) => toRow(offer, names)),
          ),
    );
  });
}

function toData({ keys: _, ...offer }: Offer): object {
  return { ...offer, rating: meanScore(offer.ratingAsProvider) };
}

/** The offer's means of payment: tokens by their names in the network file, or the beginning of the address. */
function paidIn({ coin, tokens }: Offer["details"], names: TokenNames): string {
  const nameOf = (token: Address) =>
    Object.keys(names).find((name) => sameAddress(names[name]!, token)) ?? `0x${shortId(token)}`;
  return [...(coin ? ["coin"] : []), ...tokens.map(({ token }) => nameOf(token as Address))].join(", ");
}

function toRow({ account, details, ratingAsProvider, priceFloor }: Offer, names: TokenNames): string[] {
  const mean = meanScore(ratingAsProvider);
  return [
    account,
    neutraliseLine(details.name),
    mean === undefined ? "new" : `${mean.toFixed(1)} (${ratingAsProvider.count})`,
    String(ratingAsProvider.outcomes.settled),
    coinText(priceFloor),
    paidIn(details, names),
    String(details.cpus),
    bytes(details.memoryBytes),
    details.gpus.map(gpuText).join(", ") || "-",
    details.tier,
  ];
}
