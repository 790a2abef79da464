import { isIchainError } from "../errors/error.ts";
import type { LogFacts } from "../ports/logger.ts";

/** Longest text that is kept of one fact, characters. */
const MAX_CHARS = 500;
const MAX_ITEMS = 16;
const MAX_FRAMES = 12;

/** Names whose values open something, locate it, or let somebody act for the account. */
const SECRET =
  /pass(word|phrase)|secret|mnemonic|private|keys?$|capsule|token|locator|seal|seed|salt|^raw$|authorization/i;

/** An RPC URL's path often holds the key of its account. */
const URL_PATH = /\b(https?:\/\/)(?:[^\s/@]*@)?([^\s/?#]+)[^\s]*/g;

type Plain = string | number | boolean;

/**
 * What of `facts` a line may hold: texts, numbers, truth values and short lists of them, none under a name that
 * `SECRET` matches. Objects are left out, so that no context, configuration or keyring is written by mistake; of an
 * error its code, message and the details of the same kinds stay.
 */
export function safeFacts({ error, ...facts }: LogFacts): Record<string, unknown> {
  return { ...plainEntries(facts), ...(error === undefined ? {} : describe(error)) };
}

export function safeText(text: string): string {
  return text.slice(0, MAX_CHARS).replace(URL_PATH, "$1$2");
}

function plainEntries(facts: Readonly<Record<string, unknown>>): Record<string, Plain | Plain[]> {
  const entries = Object.entries(facts).flatMap(([name, value]) => {
    const kept = SECRET.test(name) ? undefined : plain(value);
    return kept === undefined ? [] : [[name, kept] as const];
  });
  return Object.fromEntries(entries);
}

function plain(value: unknown): Plain | Plain[] | undefined {
  if (typeof value === "string") return safeText(value);
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value === "bigint") return String(value);
  if (!Array.isArray(value)) return undefined;
  return value.slice(0, MAX_ITEMS).flatMap((item) => plain(item) ?? []);
}

function describe(error: unknown): Record<string, unknown> {
  if (isIchainError(error)) {
    const { code, message, retryable, details } = error;
    return {
      code,
      error: safeText(message),
      retryable,
      details: plainEntries(details),
      ...(code === "INTERNAL" ? frames(error.cause ?? error) : {}),
    };
  }
  return { code: "INTERNAL", ...frames(error) };
}

/** Where an unforeseen error came from; its message is left out, since another library wrote it. */
function frames(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error };
  const lines = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return { error: error.name, stack: lines.slice(0, MAX_FRAMES).map((line) => line.trim()) };
}
