import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { openLead } from "../../../compose.ts";
import { IchainError } from "../../../errors/error.ts";
import { COIN } from "../../../protocol/amounts.ts";
import type { FederatedJob } from "../../../protocol/federated/market/job.ts";
import { readModel } from "../../../protocol/federated/model-file.ts";
import { type JobId, shortId } from "../../../protocol/ids.ts";
import type { WorkerContext } from "../../../roles/context.ts";
import { draftFederated, poolOf, roundWindowOf } from "../../../roles/federated/market/requester/draft.ts";
import { lead } from "../../../roles/federated/market/requester/lead.ts";
import { type FederatedPlan, planFederated } from "../../../roles/federated/market/requester/plan.ts";
import { loadRows } from "../../../roles/federated/market/requester/round/rows.ts";
import { refuseOverBudget } from "../../../roles/job/requester/posting/budget.ts";
import { coin } from "../../../ui/format.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { refuseDryOverBudget } from "../../steps/planning/dry-run.ts";
import { refuseUnaffordable } from "../../steps/planning/funds.ts";
import { withReader } from "../../steps/reader.ts";
import { refuseUnserved, type SubmitOptions } from "../place-job.ts";
import type { LoadedFederated } from "./load.ts";
import { printEnd, putResult } from "./result.ts";
import { printRound } from "./round-table.ts";
import { federatedData } from "./view.ts";

/** Posts a federated job and leads it to its end; with --wait puts its model where --out says. */
export async function submitFederated(
  context: CommandContext,
  loaded: LoadedFederated,
  options: SubmitOptions,
): Promise<void> {
  refuseUnknown(options);
  if (options.detach) await refuseUnserved(context);
  const { ui, signal } = context;
  const { file, folder } = loaded;
  const work = await sizeOf(loaded);
  const pool = poolOf(file, work);
  if (options.dryRun || options.explain) {
    const plan = await withReader(context, async ({ market, account }) =>
      planFederated(
        market,
        { file, pool, requester: account ?? "0x0000000000000000000000000000000000000000" },
        { signal },
      ),
    );
    await refuseDryOverBudget(context, { locked: pool, token: COIN });
    return printPlan(context, loaded, plan);
  }
  await using role = await openLead(context);
  const plan = await planFederated(role.market, { file, pool, requester: role.account }, { signal });
  refuseOverBudget(role, { locked: pool, token: COIN });
  await refuseUnaffordable(role.market, role.account, { total: pool, token: COIN }, { signal });
  const question = `Lock ${coin(pool)} for ${file.federated.rounds} rounds and invite ${plan.invited.length} providers?`;
  if (ui.interactive && !options.yes && !(await ui.prompts.confirm(question, true))) return;
  const invited = plan.invited.map(({ account }) => account);
  const id = await draftFederated(role, { file, folder, image: plan.image, invited }, { signal });
  if (!options.detach) return void (await leadAndTell(context, role, id, options));
  const job = await lead(role, id, { detach: true }, { signal });
  ui.print(
    federatedData(job, role.account),
    () => `Job ${shortId(id)} is ${job.state}; "ichain serve" leads it from here on.`,
  );
}

/** Leads a job to its end, with a line for each round; `ichain resume` does the same with one that was left. */
export async function leadAndTell(
  { ui, signal }: CommandContext,
  role: WorkerContext,
  id: JobId,
  { out }: Pick<SubmitOptions, "out">,
): Promise<FederatedJob> {
  const onState = ({ state, members, terms, closings }: FederatedJob) =>
    ui.reporter.emit({
      kind: "info",
      text: `Job ${shortId(id)} is ${state}${state === "Enlisting" ? `, ${members.length} of ${terms.places} providers` : `, ${closings.length} of ${terms.rounds} rounds closed`}`,
    });
  try {
    const job = await lead(
      role,
      id,
      { onState, onRound: (closed) => printRound(ui, id, closed) },
      { signal },
    );
    const folder = await putResult(role, job, out === undefined ? undefined : resolve(out));
    printEnd(ui, role.journal, { job, folder });
    return job;
  } catch (error) {
    if (signal.aborted)
      ui.reporter.emit({
        kind: "warn",
        text: `Job ${shortId(id)} is left as it is: "ichain resume ${shortId(id)}" carries it on.`,
      });
    throw error;
  }
}

async function sizeOf({ file: { federated }, folder }: LoadedFederated) {
  const [model, train] = await Promise.all([
    readFile(join(folder, federated.model)).then(readModel),
    loadRows(folder, federated.train),
    loadRows(folder, federated.test),
  ]);
  if (train.labels.length < federated.providers)
    throw new IchainError("DATA_INVALID", "The data cannot be used: there are fewer rows than providers.");
  return { bytes: train.bytes, rows: train.labels.length, parameters: model.vector.length };
}

function printPlan(
  { ui }: CommandContext,
  { file }: LoadedFederated,
  { invited, unfit, pool }: FederatedPlan,
): void {
  const { federated } = file;
  const providers = invited.map(({ account, details: { name } }) => ({ account, name }));
  ui.print(
    {
      federated: true,
      locked: { amount: String(pool), token: COIN.address },
      rounds: federated.rounds,
      roundWindow: roundWindowOf(file),
      invited: providers,
      unfit: unfit.map(({ offer: { account }, why }) => ({ account, why })),
    },
    () =>
      [
        `Would lock ${coin(pool)} for ${federated.rounds} rounds, ${coin(pool / BigInt(federated.rounds))} each.`,
        `Would invite ${invited.length} for ${federated.providers} places: ${invited.map(({ account }) => shortId(account)).join(", ")}.`,
        ...unfit.map(({ offer: { account }, why }) => `${shortId(account)} ${why}.`),
      ].join("\n"),
  );
}

/** Options of other jobs that a federated one has nothing for. */
function refuseUnknown({ failover, provider, validator, budget, atOnce }: SubmitOptions): void {
  const given = Object.entries({ failover, provider, validator, budget, "at-once": atOnce }).find(
    ([, value]) => value !== undefined,
  );
  if (given === undefined) return;
  throw new IchainError("USAGE", `--${given[0]} does not go with a federated job.`, {
    hint: 'It is led by this command until it is over; "ichain resume ID" carries on one that was left.',
  });
}
