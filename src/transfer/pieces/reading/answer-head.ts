/** What a host may say before the body. */
export interface AnswerHead {
  readonly status: number;
  /** Names in lower case; a name that came twice is a fault, not a list. */
  readonly headers: ReadonlyMap<string, string>;
}

/** Bytes of status line and headers at most. */
export const MAX_HEAD_BYTES = 8192;

const STATUS = /^HTTP\/1\.1 ([1-9]\d{2})(?: [\t\x20-\x7e]*)?$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}):[ \t]*([\x20-\x7e]*?)[ \t]*$/;

/** Parses status line and headers (RFC 9112, without line folding); undefined when it is not HTTP/1.1. */
export function parseAnswerHead(text: string): AnswerHead | undefined {
  const [first = "", ...lines] = text.split("\r\n");
  const status = STATUS.exec(first)?.[1];
  if (status === undefined) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined || headers.has(name.toLowerCase())) return undefined;
    headers.set(name.toLowerCase(), value);
  }
  return { status: Number(status), headers };
}
