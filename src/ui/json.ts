/** One line of JSON: bigint as decimal string, bytes as 0x-hex, `undefined` left out. */
export function toJson(data: unknown): string {
  return JSON.stringify(data, (_key, value: unknown) => {
    if (typeof value === "bigint") return value.toString();
    if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString("hex")}`;
    return value;
  });
}
