import { amountText, COIN, type TokenInfo } from "../protocol/amounts.ts";
import type { GpuFacts } from "../protocol/machine/gpus.ts";
import { escapeUnsafe, neutraliseLine } from "../protocol/neutralise.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `42 s`, `3 min 5 s`, `2 h 10 min`, `4 d 6 h`: the two largest units. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (seconds < 10 && seconds > 0 && !Number.isInteger(seconds)) return `${seconds.toFixed(1)} s`;
  const units: readonly [number, string][] = [
    [DAY, "d"],
    [HOUR, "h"],
    [MINUTE, "min"],
    [1, "s"],
  ];
  const at = Math.max(
    0,
    units.findIndex(([size]) => whole >= size),
  );
  if (whole === 0) return "0 s";
  const [size, name] = units[at]!;
  const next = units[at + 1];
  const rest = next ? Math.floor((whole % size) / next[0]) : 0;
  return `${Math.floor(whole / size)} ${name}${next && rest > 0 ? ` ${rest} ${next[1]}` : ""}`;
}

/** `512 B`, `1.5 KiB`, `20 GiB`: three digits at most. */
export function bytes(count: number): string {
  const names = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = count;
  let at = 0;
  while (value >= 1024 && at < names.length - 1) {
    value /= 1024;
    at++;
  }
  const text = value >= 100 || at === 0 ? Math.round(value).toString() : value.toFixed(1).replace(/\.0$/, "");
  return `${text} ${names[at]}`;
}

/** `2 × NVIDIA L40S (45 GiB, driver 550.54)`; what is not known is left out. */
export function gpuText({ model, memoryBytes, driver = "", count = 1 }: GpuFacts): string {
  const facts = [memoryBytes > 0 ? bytes(memoryBytes) : "", driver && `driver ${driver}`].filter(
    (one) => one,
  );
  const text = [neutraliseLine(model), ...(facts.length > 0 ? [`(${facts.join(", ")})`] : [])].join(" ");
  return count === 1 ? text : `${count} × ${text}`;
}

/** An amount in smallest units with its token: `12.5 tUSD`, `0.05 coin`; exact. */
export function money(amount: bigint, { decimals, symbol }: TokenInfo): string {
  return `${amountText(amount, decimals)} ${neutraliseLine(symbol)}`;
}

/** Wei as an amount of the chain's coin: `0.05 coin`. */
export function coin(amount: bigint): string {
  return money(amount, COIN);
}

/** An instant (Unix seconds) as `2026-05-01 14:03:22 UTC`. */
export function instant(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Columns aligned by their widest cell, two spaces apart; no trailing spaces. Control characters in cells are replaced. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((cells) => cells.map(neutraliseLine));
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  return lines
    .map((line) =>
      widths
        .map((size, column) => {
          const cell = line[column] ?? "";
          return cell + " ".repeat(size - cell.length);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/**
 * One line of JSON: bigint as decimal string, bytes as 0x-hex, `undefined` left out. Characters
 * that a terminal obeys are escaped: people read JSON on terminals too.
 */
export function toJson(data: unknown): string {
  const text: string | undefined = JSON.stringify(data, (_key, value: unknown) => {
    if (typeof value === "bigint") return value.toString();
    if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString("hex")}`;
    return value;
  });
  return escapeUnsafe(text ?? "null");
}
