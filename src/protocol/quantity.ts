import { z } from "zod";
import { AMOUNT, parseAmount } from "./amounts.ts";

const BYTES = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;
const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

function quantity(units: Readonly<Record<string, number>>, example: string) {
  const names = Object.keys(units).join("|");
  const pattern = new RegExp(`^(\\d{1,12}(?:\\.\\d{1,6})?) ?(${names})$`);
  return z.string().transform((text, context) => {
    const match = pattern.exec(text);
    const value = match ? Math.round(Number(match[1]) * (units[match[2] ?? ""] ?? Number.NaN)) : Number.NaN;
    if (Number.isSafeInteger(value)) return value;
    context.addIssue({ code: "custom", message: `expected an amount such as "${example}"` });
    return z.NEVER;
  });
}

/** `"512 MiB"` → bytes. */
export const bytesSchema = quantity(BYTES, "512 MiB");
/** `"10m"` → seconds. */
export const durationSchema = quantity(SECONDS, "10m");

/** A decimal amount of a token, kept as text until the token's decimals are known: `parseAmount`. */
export const amountSchema = z
  .union([z.string(), z.number()])
  .transform((value) => String(value))
  .pipe(z.string().regex(AMOUNT, 'expected an amount such as "12.5"'));

/** A decimal amount of the chain's coin, `"0.01"` → wei; at most 18 decimals. */
export const coinSchema = z
  .union([z.string(), z.number()])
  .transform((value) => String(value))
  .pipe(z.string().regex(/^\d{1,12}(\.\d{1,18})?$/, 'expected an amount of coin such as "0.01"'))
  .transform((text) => parseAmount(text, 18) ?? 0n);

/** Seconds in the notation of job.yaml, rounded up to whole minutes from ten minutes on: `45s`, `11m`. */
export function durationText(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 600 ? `${whole}s` : `${Math.ceil(whole / 60)}m`;
}

/** Bytes in the notation of job.yaml: `64 KiB`. */
export function bytesText(bytes: number): string {
  const [unit, size] = Object.entries(BYTES).findLast(([, each]) => bytes >= each && bytes % each === 0) ?? [
    "B",
    1,
  ];
  return `${bytes / size} ${unit}`;
}
