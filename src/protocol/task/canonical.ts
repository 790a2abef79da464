type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** JSON with sorted keys and no white space, so that equal values have equal hashes (RFC 8785). */
export function canonicalJson(value: unknown): string {
  return write(value as Json);
}

function write(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter((entry) => entry[1] !== undefined);
    // RFC 8785 sorts by UTF-16 code units, as the default comparison does.
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${write(item as Json)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}
