import type { CommandContext } from "../framework/declaration.ts";
import { type SubmitOptions, submitJob } from "../job/submit.ts";
import { loadJobFile, type VariableOptions } from "../steps/job-file.ts";
import { runLocally } from "./local.ts";

interface Options extends SubmitOptions, VariableOptions {
  readonly local?: true;
}

/** Runs a job to its opened result: on the market, or with --local on this machine. */
export async function run(context: CommandContext, args: { file: string }, options: Options): Promise<void> {
  const job = await loadJobFile(args.file, options);
  const next = `ichain submit ${args.file} --wait`;
  if (options.local) return await runLocally(context, job, { out: options.out, next });
  await submitJob(context, job, { ...options, wait: true });
}
