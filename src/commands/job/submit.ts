import { resolve } from "node:path";
import { isServed, openRole } from "../../compose.ts";
import { IchainError } from "../../errors/error.ts";
import { shortId } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job/job.ts";
import type { RoleContext } from "../../roles/context.ts";
import type { CommandContext } from "../framework/declaration.ts";
import {
  type LoadedCell,
  type LoadedJob,
  loadJobs,
  surroundingsOf,
  type VariableOptions,
} from "../steps/job-file.ts";
import { printDryRun } from "../steps/planning/dry-run.ts";
import { printExplanation } from "../steps/planning/explain.ts";
import { finished, resultFolder } from "../steps/result.ts";
import { story } from "../steps/story.ts";
import { readTokens } from "../steps/tokens.ts";
import { loadFederatedFile } from "./federated/load.ts";
import { submitFederated } from "./federated/submit.ts";
import { placeJob, refuseContradictions, type SubmitOptions } from "./place-job.ts";
import { submitMatrix } from "./submit-matrix.ts";

/** Posts a job, to another provider while they decline; with --wait carries it to its opened result. */
export async function run(
  context: CommandContext,
  { files }: { files: readonly string[] },
  options: SubmitOptions & VariableOptions,
): Promise<void> {
  const around = surroundingsOf(context.config);
  const federated = files.length === 1 ? await loadFederatedFile(files[0]!, around) : undefined;
  if (federated !== undefined) return await submitFederated(context, federated, options);
  const all = await Promise.all(
    files.map(async (path) => ({ path, jobs: await loadJobs(path, { ...options, ...around }) })),
  );
  const [only] = all;
  if (all.length > 1 || !("file" in only!.jobs))
    return await submitMatrix(
      context,
      all.flatMap((one) => cellsIn(one, all.length > 1)),
      options,
    );
  if (options.budget !== undefined || options.atOnce !== undefined) throw noMatrix();
  await submitJob(context, only!.jobs, options);
}

interface Loaded {
  readonly path: string;
  readonly jobs: LoadedJob | readonly LoadedCell[];
}

/** Its jobs, named by the file too where there are several files. */
function cellsIn({ path, jobs }: Loaded, several: boolean): readonly LoadedCell[] {
  if ("file" in jobs) return [{ ...jobs, cell: path }];
  return several ? jobs.map((job) => ({ ...job, cell: `${path} ${job.cell}` })) : jobs;
}

/** The same of a job that is read already. */
export async function submitJob(
  context: CommandContext,
  loaded: LoadedJob,
  options: SubmitOptions,
): Promise<void> {
  await refuseContradictions(context, options);
  if (options.explain) return await printExplanation(context, loaded.file);
  if (options.dryRun) return await printDryRun(context, loaded.file, options);
  await using role = await openRole(context);
  const job = await placeJob(context, role, loaded, options);
  if (job) await print(context, role, job, options);
}

async function print(
  context: CommandContext,
  role: RoleContext,
  job: Job,
  { wait, out }: SubmitOptions,
): Promise<void> {
  const { ui, signal } = context;
  if (wait) return await finished(role, ui, job, resolve(out ?? resultFolder(job.id)), { signal });
  const now = await role.market.now({ signal });
  const served = await isServed(context);
  const tokens = await readTokens(context, role.market, [job.terms.token], { signal });
  const { next, otherwise } = story(job, now, role.account, tokens);
  const id = shortId(job.id);
  ui.print({ jobId: job.id, state: job.state }, () =>
    served
      ? `Job ${id} is ${job.state}; "ichain serve" acts for it from here on.`
      : `Job ${id} is ${job.state}. Nobody acts for it here until "ichain resume ${id}" or "ichain serve" runs.\n` +
        `${next}\n${otherwise}`,
  );
}

function noMatrix(): IchainError {
  return new IchainError(
    "USAGE",
    "--budget and --at-once are for several jobs: a job.yaml with a matrix, or several files.",
    {
      hint: "Write the values that variables take in turn under `matrix`, or leave the options out.",
    },
  );
}
