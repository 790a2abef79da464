import { join, resolve } from "node:path";
import { openRole } from "../../compose.ts";
import { IchainError, isIchainError } from "../../errors/error.ts";
import type { MarketReader } from "../../ports/market.ts";
import { parseAmount, type TokenInfo } from "../../protocol/amounts.ts";
import { type Address, shortId, ZERO_ADDRESS } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job/job.ts";
import { lockedBy } from "../../protocol/job/terms.ts";
import { fromScore } from "../../protocol/task/metric.ts";
import type { RoleContext } from "../../roles/context.ts";
import { choosePlan } from "../../roles/job/requester/posting/choose.ts";
import { audit, findCandidates, type Plan } from "../../roles/job/requester/posting/plan.ts";
import { money } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import type { LoadedCell } from "../steps/job-file.ts";
import { chooserOf } from "../steps/planning/chooser.ts";
import { refuseUnaffordable } from "../steps/planning/funds.ts";
import { withReader } from "../steps/reader.ts";
import { openFinal, resultFolder } from "../steps/result.ts";
import { placeJob, refuseContradictions, type SubmitOptions } from "./place-job.ts";

/** Jobs of a matrix that are worked on at once unless `--at-once` says so. */
const AT_ONCE = 4;

/** What became of one job of a matrix. */
interface CellOutcome {
  readonly cell: string;
  readonly job?: Job;
  /** As the first validator measured it. */
  readonly metric?: number | undefined;
  readonly folder?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/**
 * Posts the jobs of a matrix, some at once, each as `submit` would, and says what became of each.
 * @throws BUDGET_TOO_LOW, FUNDS_TOO_LOW before anything is posted; MATRIX_INCOMPLETE
 */
export async function submitMatrix(
  context: CommandContext,
  cells: readonly LoadedCell[],
  options: SubmitOptions,
): Promise<void> {
  const { ui, signal } = context;
  await refuseContradictions(context, options);
  if (options.explain)
    throw new IchainError("USAGE", "--explain ranks the providers of one job.", {
      hint: "Name one file, and give the variables of its matrix by -V.",
    });
  // Without a password, so that a dry run needs none and a refused budget asks for none.
  const { token, locked } = await withReader(context, ({ market, account = ZERO_ADDRESS }) =>
    lockedByAll(context, { market, account }, cells, options),
  );
  refuseBudget(cells, { token, locked }, options.budget);
  if (options.dryRun) {
    const data = { locked, token, cells: cells.map(blank) };
    return ui.print(data, () =>
      [...cells.map(({ cell }) => cell), "", `${cells.length} jobs would lock ${money(locked, token)}.`].join(
        "\n",
      ),
    );
  }
  await using role = await openRole(context);
  await refuseUnaffordable(role.market, role.account, { total: locked, token }, { signal });
  const question = `Lock ${money(locked, token)} for ${cells.length} jobs?`;
  if (ui.interactive && !options.yes && !(await ui.prompts.confirm(question, true))) return;

  const waiting = [...cells];
  const outcomes = new Map<LoadedCell, CellOutcome>();
  const work = async () => {
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift())
      outcomes.set(cell, await place(context, role, cell, options));
  };
  await Promise.all(Array.from({ length: options.atOnce ?? AT_ONCE }, work));
  const ordered = cells.map((cell) => outcomes.get(cell)!);
  const data = {
    locked,
    token,
    cells: ordered.map(told),
  };
  const table = () => ui.table(["JOB OF THE MATRIX", "JOB", "STATE", "METRIC", "RESULT"], ordered.map(row));
  const failed = ordered.filter(({ error }) => error !== undefined);
  if (failed.length === 0) return ui.print(data, table);
  if (!ui.json) for (const line of table().split("\n")) ui.reporter.emit({ kind: "info", text: line });
  throw new IchainError(
    "MATRIX_INCOMPLETE",
    `${failed.length} of ${cells.length} jobs came to nothing, the first (${failed[0]!.cell}) by ${failed[0]!.error!.code}: ${failed[0]!.error!.message}`,
    { details: data },
  );
}

/** What all jobs lock by the offers of now: another provider may ask for more when its turn comes. */
async function lockedByAll(
  { ui, signal, config }: CommandContext,
  { market, account }: { market: MarketReader; account: Address },
  cells: readonly LoadedCell[],
  options: SubmitOptions,
): Promise<{ token: TokenInfo; locked: bigint }> {
  const plans: Plan[] = [];
  for (const { file } of cells) {
    const candidates = await findCandidates(market, file, account, { signal });
    const chooser = chooserOf(ui, candidates, unasked(options));
    plans.push(
      await choosePlan(file, candidates, chooser, (provider) =>
        audit({ market, account }, provider, config.audit, { signal }),
      ),
    );
  }
  const { token } = plans[0]!;
  if (plans.some((plan) => plan.token.address !== token.address)) throw manyTokens();
  return { token, locked: plans.reduce((sum, { outline }) => sum + lockedBy(outline), 0n) };
}

function refuseBudget(
  cells: readonly LoadedCell[],
  { token, locked }: { token: TokenInfo; locked: bigint },
  budget: string | undefined,
): void {
  if (budget === undefined) return;
  const most = parseAmount(budget, token.decimals);
  if (most === undefined)
    throw new IchainError("USAGE", `The budget "${budget}" is not an amount of ${token.symbol}.`);
  if (locked <= most) return;
  throw new IchainError(
    "BUDGET_TOO_LOW",
    `${cells.length} jobs lock ${money(locked, token)}, and the budget is ${money(most, token)}.`,
    { details: { locked, budget: most, token: token.address } },
  );
}

/** One job of the matrix, with --wait to its opened result; an error ends this one alone. */
async function place(
  context: CommandContext,
  role: RoleContext,
  loaded: LoadedCell,
  options: SubmitOptions,
): Promise<CellOutcome> {
  const { ui, signal } = context;
  const { cell } = loaded;
  let job: Job | undefined;
  try {
    job = await placeJob(context, role, loaded, { ...unasked(options), yes: true });
    if (job === undefined || !options.wait) return { cell, ...(job && { job }) };
    const score = job.validations[0]?.measurement?.score;
    const metric = score === undefined ? undefined : fromScore(score, loaded.file.verification.goal);
    const folder = resolve(join(options.out ?? ".", resultFolder(job.id)));
    await openFinal(role, job, folder, { signal });
    ui.reporter.emit({ kind: "info", text: `${cell}: its result lies in ${folder}` });
    return { cell, job, metric, folder };
  } catch (error) {
    if (signal.aborted || !isIchainError(error)) throw error;
    ui.reporter.emit({ kind: "warn", text: `${cell}: ${error.message}` });
    return { cell, ...(job && { job }), error: { code: error.code, message: error.message } };
  }
}

/** A matrix picks the best where no account is named: nobody is asked once for each of its jobs. */
function unasked(options: SubmitOptions): SubmitOptions {
  return { ...options, provider: options.provider ?? "best", validator: options.validator ?? ["best"] };
}

function told(outcome: CellOutcome) {
  const { cell, job, metric, folder, error } = outcome;
  return {
    cell,
    jobId: job?.id ?? null,
    state: job?.state ?? null,
    metric: metric ?? null,
    folder: folder ?? null,
    error: error ?? null,
  };
}

const blank = ({ cell }: LoadedCell) => told({ cell });

function row(outcome: CellOutcome): string[] {
  const { cell, job, metric, folder, error } = outcome;
  return [
    cell,
    job ? shortId(job.id) : "",
    error?.code ?? job?.state ?? "",
    String(metric ?? ""),
    folder ?? "",
  ];
}

function manyTokens(): IchainError {
  return new IchainError("USAGE", "The jobs of a matrix are paid in one token, and these in several.", {
    hint: "Submit a matrix for each token.",
  });
}
