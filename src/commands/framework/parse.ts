import { CONTENT_SOURCE } from "../../config/choices.ts";
import { IchainError } from "../../errors/error.ts";
import type { OptionDeclaration } from "./declaration.ts";

function refuse(value: string, wanted: string): never {
  throw new IchainError("USAGE", `"${value}" is not ${wanted}.`, { hint: `Give ${wanted}.` });
}

/** An option's parser: a whole number from `least` to `most`. */
export function integer(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    return number >= least && number <= most
      ? number
      : refuse(value, `a whole number from ${least} to ${most}`);
  };
}

/** An option's parser: a decimal number from `least` to `most`. */
export function decimal(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : Number.NaN;
    return number >= least && number <= most ? number : refuse(value, `a number from ${least} to ${most}`);
  };
}

/** An amount of coin, as people write it (`0.05`), in its smallest unit of 1e-18. */
export function coins(value: string): bigint {
  const match = /^(\d{1,24})(?:\.(\d{1,18}))?$/.exec(value);
  if (!match) return refuse(value, "an amount of coin such as 0.05, with at most 18 decimals");
  return BigInt(match[1]!) * 10n ** 18n + BigInt((match[2] ?? "").padEnd(18, "0"));
}

/** An amount in the smallest unit of a token, as `--json` prints it. */
export function smallestUnits(value: string): bigint {
  return /^\d{1,78}$/.test(value)
    ? BigInt(value)
    : refuse(value, "an amount in the smallest unit of a token, a whole number");
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** A time as in job.yaml (`45s`, `6h`), in seconds. */
export function timespan(value: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(value) ?? [];
  return unit === undefined
    ? refuse(value, "a time such as 45s, 10m or 6h")
    : Number(count) * (SECONDS[unit] ?? Number.NaN);
}

const BYTES: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** A size as in job.yaml (`512MiB`, `2 GiB`), in bytes. */
export function byteSize(value: string): number {
  const [, count, unit] = /^(\d{1,4}) ?([KMGT]iB)$/.exec(value) ?? [];
  return unit === undefined ? refuse(value, "a size such as 512MiB or 2GiB") : Number(count) * BYTES[unit]!;
}

/** A gateway's URL or a node's multiaddress. */
export function contentSource(value: string): string {
  return CONTENT_SOURCE.test(value)
    ? value
    : refuse(value, "a gateway (https://…) or a node's multiaddress (/ip4/…)");
}

/** A day (`2026-11-30`) or an instant in ISO 8601, UTC unless it says otherwise; Unix seconds. */
export function date(value: string): number {
  const form = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)?$/.exec(value);
  const zoned = form?.[1] !== undefined && form[3] === undefined ? `${value}Z` : value;
  const at = form ? Date.parse(zoned) : Number.NaN;
  return Number.isNaN(at) ? refuse(value, "a day such as 2026-11-30") : Math.floor(at / 1000);
}

/** A job's id or the beginning of one, at least four digits. */
export function jobId(value: string): string {
  if (!/^(0x)?[0-9a-f]{4,64}$/i.test(value)) return refuse(value, "a job id, or its first digits");
  return value.toLowerCase();
}

/** A row of a campaign: `entry/row`, both from 0. */
export interface RowPlace {
  readonly entry: number;
  readonly row: number;
}

/** A row's place: `0/4`. */
export function rowPlace(value: string): RowPlace {
  const [, entry, row] = /^(\d{1,9})\/(\d{1,9})$/.exec(value) ?? [];
  if (row === undefined) return refuse(value, "a row as `entry/row`, such as 0/4");
  return { entry: Number(entry), row: Number(row) };
}

/** A fix's place: `0/4/0`, or `0/4` for the first fix of that row. */
export function fixPlace(value: string): RowPlace & { readonly fix: number } {
  const [, entry, row, fix = 0] = /^(\d{1,9})\/(\d{1,9})(?:\/(\d{1,9}))?$/.exec(value) ?? [];
  if (row === undefined) return refuse(value, "a fix as `entry/row/fix`, such as 0/4/0");
  return { entry: Number(entry), row: Number(row), fix: Number(fix) };
}

/** A 20-byte account address. */
export function address(value: string): string {
  if (!/^0x[0-9a-f]{40}$/i.test(value)) return refuse(value, "an account address (0x and 40 digits)");
  return value;
}

/** A hash of 32 bytes. */
export function bytes32(value: string): string {
  if (!/^0x[0-9a-f]{64}$/i.test(value)) return refuse(value, "a hash (0x and 64 digits)");
  return value.toLowerCase();
}

/** `NAME=VALUE`, of a variable of job.yaml or of a task's environment. */
export function assignment(value: string): readonly [name: string, value: string] {
  const match = /^([A-Za-z_][A-Za-z0-9_]{0,63})=([^\0]{0,1024})$/.exec(value);
  if (!match) return refuse(value.slice(0, 80), "NAME=VALUE, with letters, digits and _ in the name");
  return [match[1]!, match[2]!];
}

/** `-V`, of every command that reads a job.yaml. */
export const variableOption: OptionDeclaration = {
  flags: "-V, --variable <name=value>",
  summary: "value of a variable that job.yaml declares; may be given again",
  parse: assignment,
  repeats: true,
};
