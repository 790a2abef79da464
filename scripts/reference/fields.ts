import { z } from "zod";

/** The part of JSON Schema that zod writes. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
  /** Says in words what the default is where it depends on the machine. */
  readonly usually?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
}

/** What a person writes (`input`) or a program prints (`output`). */
export function schemaOf(type: z.ZodType, io: "input" | "output"): Schema {
  return z.toJSONSchema(type, {
    ...{ io, unrepresentable: "any", reused: "inline" },
    override({ zodSchema, jsonSchema }) {
      // On the wire it is the string that it is parsed from.
      if (zodSchema._zod.def.type === "bigint")
        Object.assign(jsonSchema, { type: "string", pattern: "^-?\\d+$" });
    },
  }) as Schema;
}

/** One row a field that a person writes, those of nested objects behind their parent: `parent.child`, `list[].child`. */
export function inputTable(schema: Schema): string {
  return table(["field", "type", "default", "what it is"], rowsOf(schema, ""));
}

/** The same of what a program prints; *optional* fields may be left out. */
export function outputTable(schema: Schema): string {
  const rows = rowsOf(schema, "").map(([field, type, need, about]) => {
    const told = [need === "required" ? "" : "*optional*", about].filter((part) => part !== "");
    return [field, type, told.join(": ")];
  });
  return table(["field", "type", "what it is"], rows);
}

function table(names: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [names, names.map(() => "---"), ...rows.map((cells) => cells.map(cell))];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

type Row = readonly [field: string, type: string, byDefault: string, about: string];

function rowsOf(schema: Schema, prefix: string): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const required = schema.required?.includes(name) === true && field.default === undefined;
    const row: Row = [
      `\`${path}\``,
      typeOf(field),
      required ? "required" : defaultOf(field),
      field.description ?? "",
    ];
    return [row, ...nested(field, path)];
  });
}

function nested(field: Schema, path: string): Row[] {
  if (field.properties) return rowsOf(field, `${path}.`);
  if (field.items?.properties) return rowsOf(field.items, `${path}[].`);
  if (field.items?.anyOf) return alternatives(field.items.anyOf, `${path}[]`);
  return field.anyOf ? alternatives(field.anyOf, path) : [];
}

/** The fields of each alternative that has fields, every name once. */
function alternatives(branches: readonly Schema[], path: string): Row[] {
  const rows = branches.flatMap((branch) => nested(branch, path));
  return [...new Map(rows.map((row) => [row[0], row])).values()];
}

function defaultOf({ default: value, usually, properties }: Schema): string {
  if (usually !== undefined) return usually;
  if (value === undefined || (properties && JSON.stringify(value) === "{}")) return "";
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

export function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((one) => `\`${one}\``).join(", ");
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeOf))].join(" or ");
  if (schema.items) {
    const length = range(schema.minItems, schema.maxItems, "").replace(/^, /, "");
    return `list${length && ` of ${length}`}: ${typeOf(schema.items)}`;
  }
  const name = schema.properties ? "fields" : [schema.type ?? "value"].flat().join(" or ");
  const bounded = schema.minimum === Number.MIN_SAFE_INTEGER ? undefined : schema.minimum;
  const least = schema.exclusiveMinimum === undefined ? bounded : `above ${schema.exclusiveMinimum}`;
  const most = schema.maximum === Number.MAX_SAFE_INTEGER ? undefined : schema.maximum;
  return `${name}${range(least, most, "")}${range(schema.minLength, schema.maxLength, " characters")}`;
}

function range(least: number | string | undefined, most: number | undefined, unit: string): string {
  if (typeof least === "string")
    return `, ${most === undefined ? least : `${least}, at most ${most}`}${unit}`;
  if (least !== undefined && most !== undefined) return `, ${least} to ${most}${unit}`;
  if (most !== undefined) return `, at most ${most}${unit}`;
  return least === undefined ? "" : `, at least ${least}${unit}`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
