import type { Socket } from "node:net";
import { IchainError } from "../../../../errors/error.ts";
import { badAnswer, hostUnreachable, stalled } from "../../errors.ts";
import type { LaneDialer } from "../../lane-dialer.ts";

/** Status line and headers of an answer. */
export interface AnswerHead {
  readonly status: number;
  /** By name in lower case; an answer with the same name twice is refused. */
  readonly headers: ReadonlyMap<string, string>;
}

/** Longest status line and headers together; bytes. */
const MAX_HEAD_BYTES = 8192;
const HEAD_END = "\r\n\r\n";
const STATUS = /^HTTP\/1\.1 ([1-9]\d{2})(?: [\t\x20-\x7e]*)?$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}):[ \t]*([\x20-\x7e]*?)[ \t]*$/;

/** Parses status line and headers (RFC 9112, sections 4 and 5, without line folding); undefined unless HTTP/1.1. */
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

/**
 * Processes a chunk of a body. The bytes lie in a buffer that is overwritten after the call or, when it returns a
 * promise, once that has resolved.
 */
export type Consumer = (chunk: Buffer) => Promise<void> | undefined;

/**
 * One HTTP/1.1 connection for one GET at a time. Bodies are passed on in the buffer that the kernel wrote them to:
 * with a fresh buffer for every read, garbage collection takes a third of a fast transfer's time.
 */
export class Connection {
  #socket: Socket | undefined;
  #reached = false;
  #failure: unknown;
  /** Bytes received and not processed yet; while there are some, the socket is paused. */
  #rest: Buffer | undefined;
  #head = "";
  #piece: number | undefined;
  #pendingHead: PromiseWithResolvers<AnswerHead> | undefined;
  #bodyLeft = 0;
  #consume: Consumer | undefined;
  #pendingBody: PromiseWithResolvers<void> | undefined;
  #keep = true;

  /**
   * Begins to connect; the first `ask` need not wait for it.
   * @throws TRANSFER_UNREACHABLE, or the dialer's own error
   */
  static async open(dialer: LaneDialer, lane: string): Promise<Connection> {
    const connection = new Connection();
    const watched = {
      onBytes: (bytes: Buffer) => connection.#receive(bytes),
      onReached: () => {
        connection.#reached = true;
      },
    };
    const socket = await dialer.connect(lane, watched).catch((error: unknown) => {
      throw error instanceof IchainError ? error : hostUnreachable(error);
    });
    connection.#socket = socket;
    socket.on("error", (error) => connection.#fail(error));
    socket.on("close", () => connection.#fail(new Error("the connection ended")));
    return connection;
  }

  /** True once the host itself has been reached, not only the proxy in front of it. */
  get isReached(): boolean {
    return this.#reached;
  }

  /** True when the next `ask` may use this connection. */
  get isFree(): boolean {
    const busy = this.#pendingHead !== undefined || this.#bodyLeft > 0 || this.#rest !== undefined;
    return this.#keep && this.#failure === undefined && !busy;
  }

  /**
   * Sends a request, one byte a character; resolves with the head of its answer. `piece`: what is asked for, named in errors.
   * @throws TRANSFER_UNREACHABLE, TRANSFER_STALLED, TRANSFER_BAD_ANSWER
   */
  async ask(request: string, piece?: number): Promise<AnswerHead> {
    if (this.#failure !== undefined) throw this.#failureError();
    this.#piece = piece;
    this.#head = "";
    this.#pendingHead = Promise.withResolvers();
    this.#socket?.write(request, "latin1");
    return this.#pendingHead.promise;
  }

  /**
   * Passes the body of `length` bytes to `consume`; resolves after the last byte.
   * @throws as `ask`, and what `consume` throws
   */
  async read(length: number, consume: Consumer): Promise<void> {
    if (length === 0) return;
    if (this.#failure !== undefined) throw this.#failureError();
    this.#bodyLeft = length;
    this.#consume = consume;
    this.#pendingBody = Promise.withResolvers();
    const { promise } = this.#pendingBody;
    this.#continue();
    return promise;
  }

  /** Cuts the connection; pending calls reject with `reason`. */
  destroy(reason?: unknown): void {
    this.#fail(reason ?? new Error("the connection was cut"));
  }

  /** Called with every read; false pauses the socket until `#continue`. */
  #receive(bytes: Buffer): boolean {
    let at = 0;
    while (at < bytes.length) {
      if (this.#pendingHead) {
        at = this.#receiveHead(bytes, at);
      } else if (this.#bodyLeft > 0 && this.#consume) {
        const chunk = bytes.subarray(at, at + this.#bodyLeft);
        at += chunk.length;
        const busy = this.#deliver(chunk);
        if (busy) {
          this.#rest = bytes.subarray(at);
          busy.then(
            () => {
              this.#consumed(chunk.length);
              this.#continue();
            },
            (error: unknown) => this.#fail(error),
          );
          return false;
        }
        this.#consumed(chunk.length);
      } else {
        // The body of the head just read, or bytes beyond what was asked for.
        this.#rest = bytes.subarray(at);
        return false;
      }
      if (this.#failure !== undefined) return false;
    }
    return true;
  }

  #deliver(chunk: Buffer): Promise<void> | undefined {
    try {
      return this.#consume?.(chunk);
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #receiveHead(bytes: Buffer, at: number): number {
    const before = this.#head.length;
    this.#head += bytes.toString("latin1", at, at + MAX_HEAD_BYTES + HEAD_END.length - before);
    const end = this.#head.indexOf(HEAD_END, Math.max(0, before - HEAD_END.length));
    if (end < 0) {
      if (this.#head.length >= MAX_HEAD_BYTES) this.#fail(badAnswer("its headers have no end", this.#piece));
      return bytes.length;
    }
    const head = parseAnswerHead(this.#head.slice(0, end));
    this.#head = "";
    if (!head) this.#fail(badAnswer("it is not HTTP", this.#piece));
    else if (head.status === 101) this.#fail(badAnswer("it switches protocols", this.#piece));
    // An interim answer is skipped; it does not extend the deadline for the final one.
    else if (head.status >= 200) this.#settleHead(head);
    return at + end + HEAD_END.length - before;
  }

  #settleHead(head: AnswerHead): void {
    if (head.headers.get("connection")?.toLowerCase() === "close") this.#keep = false;
    this.#pendingHead?.resolve(head);
    this.#pendingHead = undefined;
  }

  #consumed(bytes: number): void {
    this.#bodyLeft -= bytes;
    if (this.#bodyLeft > 0) return;
    this.#consume = undefined;
    this.#pendingBody?.resolve();
    this.#pendingBody = undefined;
  }

  /** Processes what is left of the last read, then resumes the socket. */
  #continue(): void {
    const rest = this.#rest;
    this.#rest = undefined;
    // A host that sends more than was asked for gets no further request on this connection.
    if (rest && rest.length > 0 && !this.#pendingHead && this.#bodyLeft === 0) this.destroy();
    else if (!rest || this.#receive(rest)) this.#socket?.resume();
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const [head, body] = [this.#pendingHead, this.#pendingBody];
    this.#pendingHead = this.#pendingBody = this.#consume = undefined;
    head?.promise.catch(() => {});
    body?.promise.catch(() => {});
    head?.reject(this.#failureError());
    body?.reject(this.#failureError());
    this.#socket?.destroy();
  }

  /** The failure; one of the network as an error that says whether the host had been reached. */
  #failureError(): unknown {
    const error = this.#failure;
    if (!(error instanceof Error) || error.name === "IchainError" || error.name === "AbortError")
      return error;
    return this.#reached ? stalled(error) : hostUnreachable(error);
  }
}
