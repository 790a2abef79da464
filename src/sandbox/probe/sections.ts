/** Splits a probe's log at its marks, lines like `=name`. */
export function sections(log: string): Record<string, string> {
  const parts = log.split(/^=(\w+)$/m).slice(1);
  return Object.fromEntries(
    parts.flatMap((part, i) => (i % 2 === 0 ? [[part, (parts[i + 1] ?? "").trim()] as const] : [])),
  );
}
