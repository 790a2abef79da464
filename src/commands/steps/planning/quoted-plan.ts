import type { MarketReader } from "../../../ports/market.ts";
import { COIN } from "../../../protocol/amounts.ts";
import type { Address } from "../../../protocol/ids.ts";
import { lockedBy } from "../../../protocol/job/terms.ts";
import { dataSizesOf, gasOf } from "../../../protocol/policy/quote.ts";
import type { JobFile } from "../../../protocol/task/spec.ts";
import { choosePlan } from "../../../roles/job/requester/posting/choose.ts";
import { audit, findCandidates } from "../../../roles/job/requester/posting/plan.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { chooserOf, type PlanChoice, standing } from "./chooser.ts";

/** The plan of a job that is not posted now, what posting it would lock, and its gas. */
export async function quotedPlan(
  { ui, signal, config }: CommandContext,
  { market, account }: { market: MarketReader; account: Address },
  file: JobFile,
  choice: PlanChoice,
) {
  const candidates = await findCandidates(market, file, account, { signal });
  // Without chance: what is quoted is the job with the validators that it asks for.
  const plan = await choosePlan(file, candidates, chooserOf(ui, candidates, choice), (provider) =>
    audit({ market, account }, provider, config.audit, { signal }, () => 0),
  );
  const validators = plan.validators.length;
  const units = gasOf({ validators, permit: plan.token !== COIN });
  const sizes = dataSizesOf({ validators, permit: plan.token !== COIN });
  const [price, dataCost] = await Promise.all([
    market.gasPrice({ signal }),
    market.dataFee(sizes, { signal }),
  ]);
  return {
    plan,
    standing: standing(candidates, plan.provider),
    locked: lockedBy(plan.outline),
    gas: { units, price, dataCost, cost: BigInt(units) * price + dataCost },
  };
}
