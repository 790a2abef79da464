// Gas of whole jobs in steady state (accounts that have earned, staked and been rated before). One JSON
// object on the last line of stdout.
import { deployMarket, ETHER, join } from "../test/support/escrow.ts";
import { type Gas, runOptimistic, runValidated } from "../test/support/steps.ts";

const market = await deployMarket();
const parties = market.actors.slice(1, 4);
for (const actor of parties) await join(market, actor, 10n * ETHER);
await runValidated(market, parties);
await runOptimistic(market, parties);
const validated = await runValidated(market, parties);
const optimistic = await runOptimistic(market, parties);
const total = (gas: Gas) => ({ txs: Object.keys(gas).length, gas: Object.values(gas).reduce((a, b) => a + b, 0) });
console.log(
  JSON.stringify({
    bench: "gas",
    validated: total(validated),
    optimistic: total(optimistic),
    calls: { validated, optimistic },
  }),
);
await market.close();
