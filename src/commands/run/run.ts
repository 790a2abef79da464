import { IchainError } from "../../errors/error.ts";
import type { CommandContext } from "../framework/declaration.ts";
import type { SubmitOptions } from "../job/place-job.ts";
import { submitJob } from "../job/submit.ts";
import { loadJobFile, type VariableOptions } from "../steps/job-file.ts";
import { runLocally } from "./local.ts";
import { isScript, jobOfScript, refuseScriptOptions, type ScriptOptions, shellWord } from "./script.ts";

interface Options extends SubmitOptions, VariableOptions, ScriptOptions {
  readonly local?: true;
}

/** Runs a job, or a script as one, to its opened result: on the market, or with --local on this machine. */
export async function run(
  context: CommandContext,
  { file, args }: { file: string; args: readonly string[] },
  options: Options,
): Promise<void> {
  if (options.local && options.dryRun) throw bothWays();
  const script = isScript(file);
  if (!script) refuseScriptOptions(file, args, options);
  const job = script
    ? await jobOfScript(context, file, args, options)
    : await loadJobFile(file, { ...options, tokens: context.config.network?.tokens });
  const flags = (options.variable ?? []).map(([name, value]) => ` -V ${shellWord(`${name}=${value}`)}`);
  const again = `ichain submit ${shellWord(file)} --wait${flags.join("")}`;
  const next = script ? "the same command without --local" : again;
  if (options.local) return await runLocally(context, job, { out: options.out, next });
  await submitJob(context, job, { ...options, wait: true });
}

function bothWays(): IchainError {
  return new IchainError("USAGE", "--local runs the job and --dry-run does nothing: one of them only.");
}
