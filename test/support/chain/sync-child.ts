import { createMarket, type MarketOptions } from "../../../src/chain/market.ts";

/** A process that brings an index up to date; made to be killed. */
const market = createMarket(JSON.parse(process.argv[2]!) as MarketOptions);
await market.jobs({});
await market.stop();
