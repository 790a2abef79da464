import { escapePowerful } from "../protocol/neutralise.ts";

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
  return escapePowerful(text ?? "null");
}
