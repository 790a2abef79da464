import { torProtocol } from "../errors.ts";

/** Bounds of one reply: tor is our own child process, but a defect of it must not exhaust our memory. */
export const MAX_LINE_BYTES = 64 * 1024;
export const MAX_REPLY_LINES = 4096;

/** One reply of the control port: `650` is an event, `2xx` success, `4xx` and `5xx` refusals. */
export interface Reply {
  readonly code: number;
  /** Text of each line without code and separator; a data block follows its line after a newline. */
  readonly lines: readonly string[];
}

/**
 * Splits the text of a control connection into replies (control-spec, section 2.3): `250-…` is followed by more,
 * `250+…` starts a data block that ends with a single dot, `250 …` ends the reply.
 */
export class ReplyReader {
  #rest = "";
  #lines: string[] = [];
  #data: string[] | undefined;

  /**
   * Returns the replies that `chunk` completes.
   * @throws TOR_PROTOCOL for a line without a status code, or beyond a bound
   */
  push(chunk: string): Reply[] {
    const replies: Reply[] = [];
    const parts = (this.#rest + chunk).split("\r\n");
    this.#rest = parts.pop() ?? "";
    if (this.#rest.length > MAX_LINE_BYTES) throw torProtocol("a line is too long");
    for (const line of parts) {
      if (line.length > MAX_LINE_BYTES) throw torProtocol("a line is too long");
      const reply = this.#data === undefined ? this.#line(line) : this.#dataLine(line, this.#data);
      if (reply !== undefined) replies.push(reply);
    }
    return replies;
  }

  #line(line: string): Reply | undefined {
    const match = /^(\d{3})([-+ ])(.*)$/s.exec(line);
    if (match === null) throw torProtocol("a line has no status code");
    const [code, separator, text] = [match[1]!, match[2]!, match[3]!];
    if (this.#lines.push(text) > MAX_REPLY_LINES) throw torProtocol("a reply has too many lines");
    if (separator === "+") this.#data = [];
    if (separator !== " ") return undefined;
    const lines = this.#lines;
    this.#lines = [];
    return { code: Number(code), lines };
  }

  #dataLine(line: string, data: string[]): undefined {
    if (line === ".") {
      this.#lines.push([this.#lines.pop() ?? "", ...data].join("\n"));
      this.#data = undefined;
    } else if (data.push(line.startsWith(".") ? line.slice(1) : line) > MAX_REPLY_LINES) {
      throw torProtocol("a reply has too many lines");
    }
    return undefined;
  }
}
