import { Buffer } from "node:buffer";

/** JSON text that keeps bigint and bytes: `{"$bigint":"5"}`, `{"$bytes":"base64"}`; undefined becomes null. */
export function encodeValue(value: unknown): string {
  return JSON.stringify(value ?? null, function (this: unknown, key: string, item: unknown) {
    // `item` has been through toJSON already (a Buffer has one): look at the holder's own value.
    const raw = key === "" ? item : (this as Record<string, unknown>)[key];
    if (typeof raw === "bigint") return { $bigint: raw.toString() };
    if (raw instanceof Uint8Array) return { $bytes: Buffer.from(raw).toString("base64") };
    return item;
  });
}

export function decodeValue(text: string): unknown {
  return JSON.parse(text, (_key, item: unknown) => {
    if (typeof item !== "object" || item === null) return item;
    if ("$bigint" in item && typeof item.$bigint === "string") return BigInt(item.$bigint);
    if ("$bytes" in item && typeof item.$bytes === "string") {
      return Uint8Array.from(Buffer.from(item.$bytes, "base64"));
    }
    return item;
  });
}
