import { open } from "node:fs/promises";
import { safeFacts } from "../log/facts.ts";
import { type Known, redactValue } from "./redact.ts";

/** Of a log's end, bytes read at most. */
const MAX_BYTES = 2 ** 20;
/** Lines at most. */
const MAX_LINES = 2000;

/**
 * The last lines of a daemon's log (`openLogger`), redacted once more; undefined where there is no such file. A line that
 * is no JSON object was not written by a daemon, and is left out.
 */
export async function readLogEnd(path: string, known: Known): Promise<string | undefined> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  await using _ = file;
  const { size } = await file.stat();
  const start = Math.max(0, size - MAX_BYTES);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size, MAX_BYTES)), 0, undefined, start);
  const lines = buffer.subarray(0, bytesRead).toString().split("\n");
  // The first one may be cut off.
  if (start > 0) lines.shift();
  return lines
    .slice(-MAX_LINES - 1)
    .flatMap((line) => redactLine(line, known) ?? [])
    .join("");
}

function redactLine(line: string, known: Known): string | undefined {
  try {
    const facts: unknown = JSON.parse(line);
    if (typeof facts !== "object" || facts === null || Array.isArray(facts)) return undefined;
    // Of a line an error is its text; `safeFacts` takes an error for one that was thrown.
    const { details, error, ...rest } = facts as Record<string, unknown>;
    const plain = {
      ...safeFacts(rest),
      ...(typeof error === "string" ? { error } : {}),
      ...(isFacts(details) ? { details: safeFacts(details) } : {}),
    };
    return `${JSON.stringify(redactValue(plain, known))}\n`;
  } catch {
    return undefined;
  }
}

function isFacts(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
