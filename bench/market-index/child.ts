import { createMarket, type MarketOptions } from "../../src/chain/market.ts";

/** Lists all offers once in this process; prints how long it took and how much memory it used. */
const { options } = JSON.parse(process.argv[2]!) as { options: MarketOptions };
const market = createMarket(options);
await market.start();
const baseline = process.memoryUsage().rss;
let peak = baseline;
const sampler = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage().rss);
}, 5);
const began = performance.now();
let offers = 0;
let rated = 0;
for await (const offer of market.offers()) {
  offers++;
  if (offer.ratingAsProvider.count > 0) rated++;
}
const seconds = (performance.now() - began) / 1000;
clearInterval(sampler);
peak = Math.max(peak, process.memoryUsage().rss);
await market.stop();
const MiB = (bytes: number) => Math.round(bytes / 2 ** 20);
console.log(
  JSON.stringify({ offers, rated, seconds, rss_MiB: MiB(peak), over_idle_MiB: MiB(peak - baseline) }),
);
