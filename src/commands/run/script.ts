import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { stringify } from "yaml";
import { IchainError } from "../../errors/error.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { type LoadedJob, parseJobFile } from "../steps/job-file.ts";

/** Options of `run` that make a job of a script; absent ones are asked for, or have the defaults of job.yaml. */
export interface ScriptOptions {
  readonly image?: string;
  readonly gpu?: number;
  readonly env?: readonly (readonly [name: string, value: string])[];
  readonly metric?: string;
  readonly threshold?: number;
  readonly goal?: "max" | "min";
  readonly mode?: "evaluate" | "replicate" | "digest";
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly time?: string;
  readonly memory?: string;
  readonly save?: string;
}

/** What runs a script, and how it shows that it tells the argument 0 from 1, by the ending of its name. */
const languages: Readonly<Record<string, { program: string; convention: RegExp }>> = {
  ".py": { program: "python3", convention: /^(?!.*(?:environ|getenv)).*==\s*\[?\s*(["'])[01]\1/m },
  ".sh": { program: "sh", convention: /\$\{?1\b/ },
};

/** Names of the options that only a script's job takes. */
const scriptOptions = [
  "image",
  "gpu",
  "env",
  "metric",
  "threshold",
  "goal",
  "mode",
  "input",
  "output",
  "time",
  "memory",
  "save",
] as const satisfies readonly (keyof ScriptOptions)[];

export const isScript = (path: string): boolean => Object.hasOwn(languages, extname(path));

/** @throws USAGE where a job.yaml is given what only a script takes */
export function refuseScriptOptions(path: string, args: readonly string[], options: ScriptOptions): void {
  const given = scriptOptions.find((name) => options[name] !== undefined);
  if (given === undefined && args.length === 0) return;
  const what = given === undefined ? "Arguments after the file are" : `--${given} is`;
  throw new IchainError("USAGE", `${what} for scripts (.py, .sh), and ${path} is read as a job.yaml.`, {
    hint: "Write it into the job.yaml; -V NAME=VALUE sets a variable that it declares.",
  });
}

/**
 * Makes the job of a script: asks for the metric and its threshold where they are missing, shows the job, and keeps it
 * beside the script with --save.
 * @throws USAGE where something is missing and nobody can be asked
 */
export async function jobOfScript(
  { ui }: CommandContext,
  path: string,
  args: readonly string[],
  options: ScriptOptions,
): Promise<LoadedJob> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new IchainError("JOB_UNREADABLE", `The script ${path} cannot be read.`, { cause });
  });
  if (options.save !== undefined && basename(options.save) !== options.save)
    throw keptElsewhere(options.save);
  const printed = printedMetric(text);
  let { metric, threshold } = options;
  if (ui.interactive) {
    metric ??= await ui.prompts.input("Which metric does it print, as a line such as `acc: 0.97`?", printed);
    threshold ??= number(await ui.prompts.input(`Which ${metric} must its result reach?`));
  }
  if (threshold === undefined) throw noThreshold(path, metric ?? printed);
  const job = scriptJob(basename(path), text, args, { ...options, metric: metric ?? printed, threshold });
  const yaml = stringify(job, { flowCollectionPadding: false });
  ui.reporter.emit({
    kind: "info",
    text: `The job of ${path}${options.save ? "" : " (--save FILE keeps it)"}:`,
  });
  for (const line of yaml.trimEnd().split("\n")) ui.reporter.emit({ kind: "info", text: `  ${line}` });
  const file = join(dirname(resolve(path)), options.save ?? "job.yaml");
  const loaded = await parseJobFile({ text: yaml, path: file });
  if (options.save !== undefined) await keep(file, yaml);
  return loaded;
}

/**
 * The job.yaml of a script as data. The script runs in /out, so that what it writes is its result. One that tells the
 * argument 0 from 1 is measured by `evaluate`; any other is run again by the validators.
 */
export function scriptJob(
  name: string,
  text: string,
  args: readonly string[],
  options: ScriptOptions & { metric: string; threshold: number },
): object {
  const { program, convention } = languages[extname(name)]!;
  const { env = [], metric, goal, threshold, gpu: gpus, time, memory } = options;
  const mode = options.mode ?? (convention.test(text) ? "evaluate" : "replicate");
  const variables = env.map(([key, value]) => shellWord(`${key}=${value}`));
  const words = [program, shellWord(`/in/${name}`), ...args.map(shellWord)];
  const start = ["cd /out && exec", ...(env.length > 0 ? ["env", ...variables] : []), ...words];
  // The argument that ichain adds is the shell's own `$0`.
  const line = [...start, ...(mode === "evaluate" ? ['"$0"'] : [])].join(" ");
  const resources = { gpus, time, memory };
  const asked = Object.entries(resources).filter(([, value]) => value !== undefined);
  return {
    version: 1,
    name: name.slice(0, 64),
    image: options.image ?? "python-ml",
    command: ["sh", "-c", line],
    inputs: [name, ...(options.input ?? [])],
    outputs: options.output ?? ["."],
    ...(asked.length > 0 && { resources: Object.fromEntries(asked) }),
    verification: { mode, metric, ...(goal && { goal }), threshold },
  };
}

/** The first name that the script prints before a colon; `acc` when there is none. */
function printedMetric(text: string): string {
  return /\b(?:print|echo)\b[\s(]*f?["']?([A-Za-z][\w.-]{0,63})\s*:/.exec(text)?.[1] ?? "acc";
}

/** A word of a shell's command line. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function number(text: string): number | undefined {
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : undefined;
}

async function keep(file: string, yaml: string): Promise<void> {
  await writeFile(file, yaml, { flag: "wx" }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EEXIST") throw cause;
    throw new IchainError("TARGET_EXISTS", `The file ${file} exists already.`, {
      hint: `Submit it with "ichain submit", or give --save another name.`,
      cause,
    });
  });
}

function keptElsewhere(name: string): IchainError {
  return new IchainError("USAGE", `--save ${name}: the job is kept beside its script.`, {
    hint: "Give the name of a file, without a folder.",
  });
}

function noThreshold(path: string, metric: string): IchainError {
  return new IchainError("USAGE", `The job of ${path} has no threshold for its metric "${metric}".`, {
    hint: `Add --threshold NUMBER, the ${metric} that its result must reach, and --metric NAME for another metric.`,
  });
}
