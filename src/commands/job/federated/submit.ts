import { resolve } from "node:path";
import { openLead } from "../../../compose.ts";
import { IchainError } from "../../../errors/error.ts";
import { COIN } from "../../../protocol/amounts.ts";
import type { FederatedJob } from "../../../protocol/federated/market/job.ts";
import { type JobId, shortId, ZERO_ADDRESS } from "../../../protocol/ids.ts";
import type { WorkerContext } from "../../../roles/context.ts";
import {
  draftFederated,
  federatedDraftOf,
  roundWindowOf,
} from "../../../roles/federated/market/requester/draft.ts";
import { lead } from "../../../roles/federated/market/requester/lead.ts";
import type { FederatedPlan } from "../../../roles/federated/market/requester/plan.ts";
import { refuseOverBudget } from "../../../roles/job/requester/posting/budget.ts";
import { money } from "../../../ui/format.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { refuseDryOverBudget } from "../../steps/planning/dry-run.ts";
import { refuseUnaffordable } from "../../steps/planning/funds.ts";
import { withReader } from "../../steps/reader.ts";
import { refuseMoreThanAgreed, refuseUnserved, type SubmitOptions } from "../place-job.ts";
import type { LoadedFederated } from "./load.ts";
import { planOf } from "./quote.ts";
import { printEnd, putResult } from "./result.ts";
import { printRound } from "./round-table.ts";
import { federatedData, federatedToken } from "./view.ts";

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
  if (options.dryRun || options.explain) {
    const plan = await withReader(context, ({ market, account = ZERO_ADDRESS }) =>
      planOf(market, loaded, { requester: account, signal }),
    );
    await refuseDryOverBudget(context, { locked: plan.pool + plan.fees, token: plan.token });
    return printPlan(context, loaded, plan);
  }
  await using role = await openLead(context);
  const plan = await planOf(role.market, loaded, { requester: role.account, signal });
  const { token } = plan;
  const locked = plan.pool + plan.fees;
  refuseOverBudget(role, { locked, token });
  refuseMoreThanAgreed({ locked, token }, options.most);
  await refuseUnaffordable(role.market, role.account, { total: locked, token }, { signal });
  const question = `Lock ${money(locked, token)} for ${file.federated.rounds} rounds and invite ${plan.invited.length} providers?`;
  if (ui.interactive && !options.yes && !(await ui.prompts.confirm(question, true))) return;
  const invited = plan.invited.map(({ account }) => account);
  const id = await draftFederated(role, { file, folder, image: plan.image, invited, token }, { signal });
  if (!options.detach) return void (await leadAndTell(context, role, id, options));
  const job = await lead(role, id, { detach: true }, { signal });
  ui.print(
    federatedData(job, role.account, token),
    () => `Job ${shortId(id)} is ${job.state}; "ichain serve" leads it from here on.`,
  );
}

/** Leads a job to its end, with a line for each round; `ichain resume` does the same with one that was left. */
export async function leadAndTell(
  context: CommandContext,
  role: WorkerContext,
  id: JobId,
  { out }: Pick<SubmitOptions, "out">,
): Promise<FederatedJob> {
  const { ui, signal } = context;
  const terms = federatedDraftOf(role.journal.open("federated-requester", id))?.terms;
  const token = terms && (await federatedToken(context, role.market, { terms }));
  const onState = ({ state, members, terms, closings }: FederatedJob) =>
    ui.reporter.emit({
      kind: "info",
      text: `Job ${shortId(id)} is ${state}${state === "Enlisting" ? `, ${members.length} of ${terms.places} providers` : `, ${closings.length} of ${terms.rounds} rounds closed`}`,
    });
  try {
    const job = await lead(
      role,
      id,
      { onState, onRound: (closed) => printRound(ui, id, closed, token ?? COIN) },
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

function printPlan(
  { ui }: CommandContext,
  { file }: LoadedFederated,
  { invited, unfit, pool, fees, token }: FederatedPlan,
): void {
  const { federated } = file;
  const providers = invited.map(({ account, details: { name } }) => ({ account, name }));
  ui.print(
    {
      federated: true,
      locked: { amount: String(pool + fees), token: token.address },
      rounds: federated.rounds,
      roundWindow: roundWindowOf(file),
      invited: providers,
      unfit: unfit.map(({ offer: { account }, why }) => ({ account, why })),
    },
    () =>
      [
        `Would lock ${money(pool + fees, token)} for ${federated.rounds} rounds, ${money(pool / BigInt(federated.rounds), token)} each${fees > 0n ? `, and ${money(fees, token)} for validators` : ""}.`,
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
