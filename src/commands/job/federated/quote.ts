import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { IchainError } from "../../../errors/error.ts";
import type { MarketReader } from "../../../ports/market.ts";
import { COIN } from "../../../protocol/amounts.ts";
import { readModel } from "../../../protocol/federated/model-file.ts";
import {
  federatedBranchesOf,
  leadDataSizesOf,
  leadGasOf,
  memberGas,
  sharedOf,
} from "../../../protocol/federated/pay/quote.ts";
import { type Address, shortId, ZERO_ADDRESS } from "../../../protocol/ids.ts";
import { worstLoss } from "../../../protocol/policy/quote.ts";
import { leadDiskOf } from "../../../roles/federated/market/requester/disk.ts";
import { poolOf, roundWindowOf, weiOf } from "../../../roles/federated/market/requester/draft.ts";
import { type FederatedPlan, planFederated } from "../../../roles/federated/market/requester/plan.ts";
import { loadRows } from "../../../roles/federated/market/requester/round/rows.ts";
import { tokenAddress } from "../../../roles/tokens.ts";
import { bytes, coin, duration, money } from "../../../ui/format.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { withReader } from "../../steps/reader.ts";
import type { LoadedFederated } from "./load.ts";

/**
 * Whom a job that is not posted now would be for, and what it would cost.
 * @throws NO_PROVIDER, TOKEN_UNUSABLE, JOB_INVALID, DATA_UNREADABLE, DATA_INVALID
 */
export async function planOf(
  market: MarketReader,
  loaded: LoadedFederated,
  { requester, signal }: { readonly requester: Address; readonly signal: AbortSignal },
): Promise<FederatedPlan & { readonly disk: number }> {
  const { file } = loaded;
  const work = await sizeOf(loaded);
  const token = await market.token(tokenAddress(file.federated.token ?? ZERO_ADDRESS, {}), { signal });
  const pool = poolOf(file, work, token);
  const plan = await planFederated(market, { file, pool, token, requester }, { signal });
  return { ...plan, disk: leadDiskOf(file, work.parameters) };
}

async function sizeOf({ file: { federated }, folder }: LoadedFederated) {
  const [model, train] = await Promise.all([
    readFile(join(folder, federated.model)).then(readModel),
    federated.train && loadRows(folder, federated.train),
    loadRows(folder, federated.test),
  ]);
  if (train !== undefined && train.labels.length < federated.providers)
    throw new IchainError("DATA_INVALID", "The data cannot be used: there are fewer rows than providers.");
  return { bytes: train?.bytes ?? 0, rows: train?.labels.length ?? 0, parameters: model.vector.length };
}

/** What a requester gives up where providers train on data of their own. */
const WEAKER = [
  "Nothing shows what providers train on: there is no gate, and no training can be replayed.",
  "An update counts if it points with one made of your own rows, and is paid by what the model with it is worth on your rows that measure: who has few rows, or copies, may be paid like the others.",
  "Only providers whose policy lists data of the name take part; how many have them shows when they enlist.",
];

/** Says what a federated job would cost, who would be asked, and the worst that each ending takes. */
export async function quoteFederated(context: CommandContext, loaded: LoadedFederated): Promise<void> {
  const { ui, signal } = context;
  const { file } = loaded;
  const { federated } = file;
  const { providers: places, rounds, windows, deposit, least = places } = federated;
  await withReader(context, async ({ market, account = ZERO_ADDRESS }) => {
    const plan = await planOf(market, loaded, { requester: account, signal });
    const { pool, fees, token, invited, unfit } = plan;
    const { count } = file.federated.validators;
    const calls = { invited: invited.length, rounds, validators: count, inToken: token !== COIN };
    const units = leadGasOf(calls);
    const [price, dataCost] = await Promise.all([
      market.gasPrice({ signal }),
      market.dataFee(leadDataSizesOf(calls), { signal }),
    ]);
    const round = roundWindowOf(file);
    const refunds = federated.onCheat === "refund";
    const branches = federatedBranchesOf({
      ...{ pool: pool + fees, rounds, windows: { ...windows, round } },
      cheatedFees: refunds ? fees / BigInt(rounds) : undefined,
    });
    const weaker = federated.data.own === undefined ? undefined : WEAKER;
    const shared = sharedOf({ pool, rounds });
    const data = {
      federated: true,
      ...{ token, locked: pool + fees, rounds, places, least, validators: count, fees },
      ...{ roundPrice: pool / BigInt(rounds), roundShared: shared, roundWindow: round },
      deposit: weiOf(deposit),
      disk: plan.disk,
      gas: { units, price, dataCost, cost: BigInt(units) * price + dataCost },
      providerGas: { units: memberGas, cost: BigInt(memberGas) * price },
      invited: invited.map(({ account: one, details: { name } }) => ({ account: one, name })),
      unfit: unfit.map(({ offer, why }) => ({ account: offer.account, why })),
      ...(weaker && { weaker }),
      branches,
      worstLoss: worstLoss(branches),
    };
    ui.print(data, () =>
      [
        `${money(data.locked, token)} is locked at posting for ${rounds} rounds, ${money(data.roundPrice, token)} each${count > 0 ? `, and the fees of ${count} validators` : ""}; gas comes to about ${units}, at most ${coin(data.gas.cost)} now.`,
        `Of a round ${money(shared, token)} at most is shared by the updates that are taken, by what each is worth: ${money(shared / BigInt(places), token)} each where ${places} are alike. The rest is ${count > 0 ? "the validator's that made the model" : "yours again after the last round"}.`,
        `Each provider locks a deposit of ${coin(data.deposit)}, and has it back after the end; its gas comes to about ${memberGas}, ${coin(data.providerGas.cost)} now.`,
        ...(refunds
          ? [
              `A proven cheat ends the job: rounds that are not closed come back, and the others share its deposit. They lose the open round: take a deposit that is worth ${money(data.roundPrice, token)} at least.`,
            ]
          : []),
        `Would invite ${invited.length} for ${places} places, and begin with ${least}: ${invited.map(({ account: one }) => shortId(one)).join(", ")}.`,
        count > 0
          ? `Validators measure the updates; the last model is measured on this machine, and the models take ${bytes(plan.disk)} of its disk at most, beside the data.`
          : `The runs that measure the updates are done on this machine, and the models take ${bytes(plan.disk)} of its disk at most, beside the data.`,
        ...(weaker ?? []),
        "",
        ui.table(
          ["IF IT ENDS", "YOU LOSE AT MOST", "WITHIN", "THAT IS"],
          branches.map(({ outcome, meaning, loss, seconds }) => [
            outcome,
            money(loss, token),
            duration(seconds),
            meaning,
          ]),
        ),
      ].join("\n"),
    );
  });
}
