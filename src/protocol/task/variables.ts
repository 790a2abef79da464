import { z } from "zod";
import { IchainError } from "../../errors/error.ts";

/**
 * Variables of a job.yaml: defaults under `variables`, values by `-V NAME=VALUE`, used as `${NAME}` in any text of the
 * file. They are replaced before the file is checked: no other party sees them.
 */

const MAX_VARIABLES = 64;
/** Of a value, UTF-16 units: as long as a word of the command. */
const MAX_VALUE = 1024;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
/** `$${` stands for a plain `${`. */
const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;

const value = z.union([z.string().max(MAX_VALUE), z.number(), z.boolean()]);
const scalar = z.union([value, z.null()]);

export const variablesSchema = z
  .record(z.string().regex(NAME), scalar)
  .refine((all) => Object.keys(all).length <= MAX_VARIABLES, `at most ${MAX_VARIABLES} variables`);

/** Jobs that one job.yaml may stand for. */
const MAX_CELLS = 256;

/** The values that variables take in turn; the jobs are all combinations. */
export const matrixSchema = z
  .record(z.string().regex(NAME), z.array(value).min(1).max(MAX_CELLS))
  .refine((all) => Object.keys(all).length > 0, "at least one variable")
  .refine(
    (all) => Object.values(all).reduce((count, values) => count * values.length, 1) <= MAX_CELLS,
    `at most ${MAX_CELLS} jobs`,
  );

/** Values by name, as `-V` gives them. */
export type Assignments = ReadonlyMap<string, string>;

interface Variable {
  /** As written. */
  readonly text: string;
  readonly value: string | number | boolean;
}

/** One job of a matrix. */
export interface Cell {
  /** `lr=0.1 seed=2`: what tells it from the others. */
  readonly name: string;
  readonly assignments: Assignments;
}

/**
 * The jobs that a parsed job.yaml stands for, those of its first variable's first value first; undefined when it has no
 * matrix, or a malformed one, for the schema to refuse. A variable that is given has that value alone.
 * @throws VARIABLE_UNKNOWN
 */
export function cellsOf(file: unknown, given: Assignments): readonly Cell[] | undefined {
  if (!isFields(file) || file.matrix === undefined) return undefined;
  const [matrix, declared] = [matrixSchema.safeParse(file.matrix), variablesSchema.safeParse(file.variables)];
  if (!matrix.success || (file.variables !== undefined && !declared.success)) return undefined;
  const known = Object.keys(declared.data ?? {});
  const axes = Object.entries(matrix.data).map(([name, values]) => {
    if (!known.includes(name)) throw unknownVariable(name, known);
    const only = given.get(name);
    return { name, values: only === undefined ? values.map(String) : [only] };
  });
  const all = axes.reduce<readonly (readonly [string, string])[][]>(
    (cells, { name, values }) =>
      cells.flatMap((cell) => values.map((value) => [...cell, [name, value] as const])),
    [[]],
  );
  return all.map((cell) => ({
    name: cell.map(([name, value]) => `${name}=${value}`).join(" "),
    assignments: new Map([...given, ...cell]),
  }));
}

/**
 * The parsed job.yaml with every `${NAME}` replaced. A text that is `${NAME}` alone becomes the variable's number or
 * truth value, except in lists and in `name`, which hold text. A file without `variables` is left as it is; so is one
 * whose variables are malformed, for the schema to refuse.
 * @throws VARIABLE_UNKNOWN, VARIABLE_INVALID, VARIABLE_MISSING
 */
export function substituteVariables(file: unknown, given: Assignments): unknown {
  const declared = isFields(file) ? file.variables : undefined;
  const defaults = variablesSchema.safeParse(declared ?? {});
  if (!defaults.success) return file;
  for (const name of given.keys()) {
    if (!Object.hasOwn(defaults.data, name)) throw unknownVariable(name, Object.keys(defaults.data));
  }
  if (declared === undefined || !isFields(file)) return file;
  const variables = new Map<string, Variable | undefined>(
    Object.entries(defaults.data).map(([name, byDefault]) => [
      name,
      assigned(name, byDefault, given.get(name)),
    ]),
  );
  const rest = Object.entries(file).map(([name, value]) => [
    name,
    name === "variables" || name === "matrix" ? value : replaced(value, variables, name === "name"),
  ]);
  return Object.fromEntries(rest);
}

/** A value keeps the kind of its default; without a default it has the kind that it looks like. */
function assigned(
  name: string,
  byDefault: z.infer<typeof scalar>,
  text: string | undefined,
): Variable | undefined {
  if (text === undefined)
    return byDefault === null ? undefined : { text: String(byDefault), value: byDefault };
  const value = typedValue(text);
  if (byDefault === null || typeof value === typeof byDefault) return { text, value };
  if (typeof byDefault === "string") return { text, value: text };
  const kind = typeof byDefault === "number" ? "a number" : "true or false";
  throw new IchainError("VARIABLE_INVALID", `The variable "${name}" is "${text}", which is not ${kind}.`, {
    hint: `Give ${kind}, as its default in job.yaml is: -V ${name}=${byDefault}.`,
  });
}

function typedValue(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  const isNumber = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text);
  return isNumber && Number.isFinite(Number(text)) ? Number(text) : text;
}

function replaced(
  value: unknown,
  variables: ReadonlyMap<string, Variable | undefined>,
  asText: boolean,
): unknown {
  if (Array.isArray(value)) return value.map((item) => replaced(item, variables, true));
  if (isFields(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, replaced(item, variables, asText)]),
    );
  }
  if (typeof value !== "string") return value;
  const alone = asText ? undefined : /^\$\{([^}]*)\}$/.exec(value)?.[1];
  if (alone !== undefined) return find(alone, variables).value;
  return value.replace(REFERENCE, (whole, name: string | undefined) =>
    name === undefined ? whole.slice(1) : find(name, variables).text,
  );
}

function find(name: string, variables: ReadonlyMap<string, Variable | undefined>): Variable {
  const found = variables.get(name);
  if (found !== undefined) return found;
  if (!variables.has(name)) throw unknownVariable(name, [...variables.keys()]);
  throw new IchainError("VARIABLE_MISSING", `The variable "${name}" has no value.`, {
    hint: `Give it with -V ${name}=VALUE, or write a default under variables in job.yaml.`,
  });
}

function unknownVariable(name: string, known: readonly string[]): IchainError {
  const names = known.length === 0 ? "declares none" : `declares ${known.join(", ")}`;
  return new IchainError("VARIABLE_UNKNOWN", `The job file has no variable "${name.slice(0, 80)}".`, {
    hint: `It ${names}: add it under variables, or write $\${ for a plain $\{.`,
    details: { known },
  });
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
