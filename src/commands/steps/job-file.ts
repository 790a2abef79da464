import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readFile } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { parseYaml } from "../../config/yaml.ts";
import type { Config } from "../../config.ts";
import { IchainError } from "../../errors/error.ts";
import { type JobFile, jobFileSchema } from "../../protocol/task/spec.ts";
import { type Assignments, type Cell, cellsOf, substituteVariables } from "../../protocol/task/variables.ts";
import { type TokenNames, tokenAddress } from "../../roles/tokens.ts";

const MAX_BYTES = 256 << 10;

export interface LoadedJob {
  readonly file: JobFile;
  /** Folder that the inputs are relative to. */
  readonly folder: string;
}

/** The option `-V` of every command that reads a job.yaml. */
export interface VariableOptions {
  readonly variable?: readonly (readonly [name: string, value: string])[];
}

/** What of the configuration a job.yaml is read with. */
export interface Surroundings {
  /** That it may call by name: the network's. */
  readonly tokens?: TokenNames | undefined;
  /** Accounts that the job does not go to, beside its own. */
  readonly avoid?: readonly string[];
}

/** The same as this home has it. */
export function surroundingsOf({ network, avoid }: Pick<Config, "network" | "avoid">): Surroundings {
  return { tokens: network?.tokens, avoid };
}

/**
 * Reads and checks a job.yaml and that its inputs are there, an image of its own among them; its token is named by its
 * address afterwards.
 * @throws JOB_INVALID, INPUT_MISSING, TOKEN_NAME_UNKNOWN, VARIABLE_UNKNOWN, VARIABLE_INVALID, VARIABLE_MISSING
 */
export async function loadJobFile(
  path: string,
  { variable = [], ...around }: VariableOptions & Surroundings = {},
): Promise<LoadedJob> {
  return parseJobFile({ text: await readJobText(path), path }, { ...around, variables: new Map(variable) });
}

/** A job of a job.yaml with a matrix: its cell's name, `lr=0.1 seed=2`. */
export interface LoadedCell extends LoadedJob {
  readonly cell: string;
}

/**
 * The job of a job.yaml, or those of its matrix in order.
 * @throws as `loadJobFile`
 */
export async function loadJobs(
  path: string,
  { variable = [], ...around }: VariableOptions & Surroundings = {},
): Promise<LoadedJob | readonly LoadedCell[]> {
  const [text, variables] = [await readJobText(path), new Map(variable)];
  const cells = cellsIn({ text, path }, variables);
  if (cells === undefined) return parseJobFile({ text, path }, { ...around, variables });
  const loaded: LoadedCell[] = [];
  for (const { name, assignments } of cells)
    loaded.push({
      cell: name,
      ...(await parseJobFile({ text, path }, { ...around, variables: assignments })),
    });
  return loaded;
}

function cellsIn(
  { text, path }: { text: string; path: string },
  variables: Assignments,
): readonly Cell[] | undefined {
  let cells: readonly Cell[] | undefined;
  const prepare = (value: unknown) => {
    cells = cellsOf(value, variables);
    return substituteVariables(value, cells?.[0]?.assignments ?? variables);
  };
  parseYaml({ text, name: path, code: "JOB_INVALID", prepare }, jobFileSchema);
  return cells;
}

/** The same of a text that would stand at `path`. */
export async function parseJobFile(
  { text, path }: { text: string; path: string },
  { tokens = {}, avoid = [], variables = new Map() }: Surroundings & { variables?: Assignments } = {},
): Promise<LoadedJob> {
  const prepare = (value: unknown) => {
    if (isFederated(value)) throw federatedFile(path);
    return substituteVariables(value, variables);
  };
  const file = parseYaml({ text, name: path, code: "JOB_INVALID", prepare }, jobFileSchema);
  const folder = dirname(resolve(path));
  for (const input of file.inputs) await checkInput(path, folder, input);
  const pay = file.pay && { ...file.pay, token: tokenAddress(file.pay.token, tokens) };
  const avoided = [...(file.avoid ?? []), ...avoid];
  return {
    file: { ...file, pay, avoid: avoided, image: await checkedImage(path, folder, file) },
    folder,
  };
}

/** True of a job file with a block `federated`, which another reader takes. */
export function isFederated(value: unknown): boolean {
  return typeof value === "object" && value !== null && "federated" in value;
}

function federatedFile(path: string): IchainError {
  return new IchainError("JOB_INVALID", `${path} is a federated job, which this command does not know.`, {
    hint: "`ichain submit FILE --dry-run` says whom it would invite and what it would lock.",
  });
}

/**
 * An image that the job brings must travel in its bundle; an archive's digest is pinned here.
 * @throws INPUT_MISSING
 */
export async function checkedImage(
  path: string,
  folder: string,
  { image, inputs }: { readonly image: JobFile["image"]; readonly inputs: readonly string[] },
): Promise<JobFile["image"]> {
  if (typeof image === "string" || "oci" in image) return image;
  const own = "dockerfile" in image ? image.dockerfile : image.archive;
  await checkInput(path, folder, own);
  if (
    !inputs.some((input) => own === input || own.startsWith(`${input.replace(/\/$/, "")}/`) || input === ".")
  ) {
    throw new IchainError("INPUT_MISSING", `${path}: the image "${own}" is not among the inputs.`, {
      hint: "List it, or the folder that it lies in, under inputs: it travels in the bundle.",
    });
  }
  if ("dockerfile" in image || image.digest !== undefined) return image;
  const hash = createHash("sha256");
  await pipeline(createReadStream(join(folder, own)), hash);
  return { ...image, digest: `sha256:${hash.digest("hex")}` };
}

/** @throws JOB_UNREADABLE, JOB_INVALID */
export async function readJobText(path: string): Promise<string> {
  try {
    const { size } = await lstat(path);
    if (size <= MAX_BYTES) return await readFile(path, "utf8");
  } catch (cause) {
    throw new IchainError("JOB_UNREADABLE", `The job file ${path} cannot be read.`, { cause });
  }
  throw new IchainError("JOB_INVALID", `The job file ${path} is larger than ${MAX_BYTES} bytes.`, {
    hint: "Put data into files of their own and list them under inputs.",
  });
}

/** @throws INPUT_MISSING */
export async function checkInput(path: string, folder: string, input: string): Promise<void> {
  const inside = relative(folder, join(folder, input));
  const problem =
    isAbsolute(input) || inside.startsWith("..") ? "lies outside the folder of the job file" : undefined;
  const found = problem === undefined && (await lstat(join(folder, input)).catch(() => undefined));
  if (found) return;
  throw new IchainError("INPUT_MISSING", `${path}: the input "${input}" ${problem ?? "does not exist"}.`, {
    hint: "Inputs are paths relative to the job file's own folder.",
  });
}
