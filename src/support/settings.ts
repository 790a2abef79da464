import { LEFT_OUT, redactUrl } from "./redact.ts";

/** Texts of the configuration that say nothing of places, people or secrets: an exact path, or all below one. */
const config = [
  ...[
    "role",
    "transport",
    "compatibility",
    "engine",
    "ci",
    "audit.",
    "sandbox.",
    "log.level",
    "password.from",
  ],
  ...["network.name", "network.contracts.", "network.tokens.", "network.dataFee", "budgets[].token"],
  "kubernetes.images[].digest",
];
const policy = ["leastTier", "appeal", "maintenance[]."];

/** The resolved configuration: numbers and switches as they are, of texts those that are listed, of URLs the public host. */
export function configOutline(value: object): unknown {
  return outline(value, config, "");
}

export function policyOutline(value: object): unknown {
  return outline(value, policy, "");
}

function outline(value: unknown, plain: readonly string[], path: string): unknown {
  if (typeof value === "string") return isPlain(path, plain) ? value : withoutText(value, path);
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) {
    const isList = value.every((item) => typeof item === "string") && !isPlain(`${path}[]`, plain);
    if (isList && value.length > 0 && !value.every(isUrl)) return `<${value.length} left out>`;
    return value.map((item) => outline(item, plain, `${path}[]`));
  }
  if (typeof value !== "object" || value === null) return undefined;
  const entries = Object.entries(value).map(([name, item]) => [
    name,
    outline(item, plain, path === "" ? name : `${path}.${name}`),
  ]);
  return Object.fromEntries(entries);
}

function isPlain(path: string, plain: readonly string[]): boolean {
  return plain.some((one) => (one.endsWith(".") ? path.startsWith(one) : path === one));
}

function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]{1,15}:\/\//i.test(text);
}

/** A webhook's host tells who is told. */
function withoutText(text: string, path: string): string {
  return isUrl(text) && !path.startsWith("notify.") ? redactUrl(text) : LEFT_OUT;
}
