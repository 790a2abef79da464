// Gas of whole jobs in steady state (accounts that have earned, staked and been rated before), and of the same job with
// growing numbers of offers, jobs and ratings in the contracts. One JSON object on the last line of stdout.
import { addJob, addOffer } from "../test/support/chain/crowd.ts";
import { deployMarket, ETHER, join } from "../test/support/chain/escrow.ts";
import { type Gas, runOptimistic, runValidated, total } from "../test/support/chain/steps.ts";

const SIZES = process.argv.includes("--quick") ? [10, 100, 300] : [10, 1_000, 10_000];
const progress = (text: string) => console.error(text);

const market = await deployMarket();
const parties = market.actors.slice(1, 4);
for (const actor of parties) await join(market, actor, 1000n * ETHER);
await runValidated(market, parties);
const validated = await runValidated(market, parties);
await runOptimistic(market, parties);
const optimistic = await runOptimistic(market, parties);
const path = (gas: Gas) => ({ txs: Object.keys(gas).length, gas: total(gas) });
const jobs = await grow(4, () => addJob(market, parties));
const offers = await grow(parties.length, () => addOffer(market));
console.log(
  JSON.stringify({
    bench: "gas",
    validated: path(validated),
    optimistic: path(optimistic),
    calls: { validated, optimistic },
    // Every job is rated, so that the number of ratings is the number of jobs.
    growth: { offers, jobs, ratings: jobs },
  }),
);
await market.close();

/** Gas of one validated job with as many items in the contracts as each of `SIZES`; `add` makes one more. */
async function grow(have: number, add: () => Promise<void>): Promise<Record<string, number>> {
  const gas: Record<string, number> = {};
  for (const size of SIZES) {
    for (; have < size; have++) await add();
    for (const { signer } of parties) signer.reset();
    gas[size] = total(await runValidated(market, parties));
    progress(`${size}: ${gas[size]}`);
  }
  return gas;
}
