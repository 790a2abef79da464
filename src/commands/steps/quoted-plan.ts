import type { MarketReader } from "../../ports/market.ts";
import type { Address } from "../../protocol/ids.ts";
import { gasOf } from "../../protocol/policy/quote.ts";
import type { JobFile } from "../../protocol/task/spec.ts";
import { audit, findCandidates } from "../../roles/job/requester/posting/plan.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { choosePlan, type PlanChoice } from "./choose.ts";

/** The plan of a job that is not posted now, what posting it would lock (wei), and its gas. */
export async function quotedPlan(
  { ui, signal, config }: CommandContext,
  { market, account }: { market: MarketReader; account: Address },
  file: JobFile,
  choice: PlanChoice,
) {
  const candidates = await findCandidates(market, file, account, { signal });
  // Without chance: what is quoted is the job with the validators that it asks for.
  const plan = await choosePlan(ui, file, candidates, choice, (provider) =>
    audit({ market, account }, provider, config.audit, { signal }, () => 0),
  );
  const { price, validatorFee } = plan.outline;
  const validators = plan.validators.length;
  const gas = { units: gasOf({ validators }), price: await market.gasPrice({ signal }) };
  return {
    plan,
    locked: price + validatorFee * BigInt(validators),
    gas: { ...gas, cost: BigInt(gas.units) * gas.price },
  };
}
