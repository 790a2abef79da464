/** The asynchronous events that ichain subscribes to (control-spec, section 4.1). */
export const torEventNames = ["HS_DESC", "STATUS_CLIENT"] as const;
export type TorEventName = (typeof torEventNames)[number];

/** State of an onion's descriptor: one that we host (`UPLOAD*`) or one that we look up (`RECEIVED`, `FAILED`). */
export interface DescriptorEvent {
  readonly name: "HS_DESC";
  readonly action: string;
  /** 56 base32 characters. */
  readonly address: string;
  /** The directory of the upload or look-up. */
  readonly directory: string;
  /** With `FAILED`, e.g. `UPLOAD_REJECTED`. */
  readonly reason: string | undefined;
}

/** State of tor as a client; `BOOTSTRAP` has `PROGRESS` (per cent) and `SUMMARY`. */
export interface ClientStatusEvent {
  readonly name: "STATUS_CLIENT";
  readonly action: string;
  readonly values: Readonly<Record<string, string>>;
}

export type TorEvent = DescriptorEvent | ClientStatusEvent;

/** The event in the first line of a 650 reply, or undefined for any other kind. */
export function parseEvent(line: string): TorEvent | undefined {
  const words = line.split(" ");
  const values = keyValues(line);
  if (words[0] === "HS_DESC") {
    const [, action = "", address = "", , directory = ""] = words;
    return { name: "HS_DESC", action, address, directory, reason: values.REASON };
  }
  if (words[0] === "STATUS_CLIENT") return { name: "STATUS_CLIENT", action: words[2] ?? "", values };
  return undefined;
}

/** `KEY=value` and `KEY="quoted value"` pairs of a line. */
export function keyValues(line: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [, key, quoted, plain] of line.matchAll(/([A-Z_]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))/g)) {
    values[key!] = quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "";
  }
  return values;
}
