import type { Socket } from "node:net";
import { IchainError } from "../../../../errors/error.ts";
import { badAnswer, hostUnreachable, stalled } from "../../errors.ts";
import type { LaneDialer } from "../../ports.ts";
import { type AnswerHead, MAX_HEAD_BYTES, parseAnswerHead } from "../answer-head.ts";

/**
 * Takes a piece of a body in. The bytes lie in a buffer that is used again: whoever needs them longer
 * than the call, or than the promise that it returns, copies them.
 */
export type Consumer = (chunk: Buffer) => Promise<void> | undefined;

const HEAD_END = "\r\n\r\n";

/**
 * One HTTP/1.1 connection for one GET at a time. Bodies are handed on from where the kernel put them:
 * with a fresh buffer for every read, the collector takes a third of a fast transfer's time.
 */
export class Connection {
  #socket: Socket | undefined;
  #reached = false;
  #failure: unknown;
  /** Bytes that came and that nobody has taken yet; while there are some, the socket is paused. */
  #rest: Buffer | undefined;
  #head = "";
  #piece: number | undefined;
  #headTaker: PromiseWithResolvers<AnswerHead> | undefined;
  #bodyLeft = 0;
  #consume: Consumer | undefined;
  #bodyTaker: PromiseWithResolvers<void> | undefined;
  #keep = true;

  /** Begins to connect; the first `ask` need not wait for it. */
  static async open(dialer: LaneDialer, lane: string): Promise<Connection> {
    const connection = new Connection();
    const watched = {
      onBytes: (bytes: Buffer) => connection.#take(bytes),
      onReached: () => {
        connection.#reached = true;
      },
    };
    const socket = await dialer.connect(lane, watched).catch((error: unknown) => {
      throw error instanceof IchainError ? error : hostUnreachable(error); // refused, as by a host that is gone
    });
    connection.#socket = socket;
    socket.on("error", (error) => connection.#fail(error));
    socket.on("close", () => connection.#fail(new Error("the connection ended")));
    return connection;
  }

  /** True once the host itself, and not only the way to it, has answered. */
  get isReached(): boolean {
    return this.#reached;
  }

  /** True when the next `ask` may go out over it. */
  get isFree(): boolean {
    const busy = this.#headTaker !== undefined || this.#bodyLeft > 0 || this.#rest !== undefined;
    return this.#keep && this.#failure === undefined && !busy;
  }

  /** Sends a request without a body; resolves with the head of its answer. `piece`: for errors, what is asked for. */
  async ask(request: string, piece?: number): Promise<AnswerHead> {
    if (this.#failure !== undefined) throw this.#blame();
    this.#piece = piece;
    this.#head = "";
    this.#headTaker = Promise.withResolvers();
    this.#socket?.write(request, "latin1");
    return this.#headTaker.promise;
  }

  /** Hands the body of `length` bytes to `consume`; resolves after the last byte. */
  async read(length: number, consume: Consumer): Promise<void> {
    if (length === 0) return;
    if (this.#failure !== undefined) throw this.#blame();
    this.#bodyLeft = length;
    this.#consume = consume;
    this.#bodyTaker = Promise.withResolvers();
    const { promise } = this.#bodyTaker;
    this.#goOn();
    return promise;
  }

  /** Cuts the connection; whoever waits for something gets `reason`. */
  destroy(reason?: unknown): void {
    this.#fail(reason ?? new Error("the connection was cut"));
  }

  /** Called with every read; false pauses the socket until `#goOn`. */
  #take(bytes: Buffer): boolean {
    let at = 0;
    while (at < bytes.length) {
      if (this.#headTaker) {
        at = this.#takeHead(bytes, at);
      } else if (this.#bodyLeft > 0 && this.#consume) {
        const chunk = bytes.subarray(at, at + this.#bodyLeft);
        at += chunk.length;
        const busy = this.#hand(chunk);
        if (busy) {
          this.#rest = bytes.subarray(at);
          busy.then(
            () => {
              this.#taken(chunk.length);
              this.#goOn();
            },
            (error: unknown) => this.#fail(error),
          );
          return false;
        }
        this.#taken(chunk.length);
      } else {
        // The body that belongs to a head just read, or something that nobody asked for.
        this.#rest = bytes.subarray(at);
        return false;
      }
      if (this.#failure !== undefined) return false;
    }
    return true;
  }

  #hand(chunk: Buffer): Promise<void> | undefined {
    try {
      return this.#consume?.(chunk);
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #takeHead(bytes: Buffer, at: number): number {
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
    // Interim answers say nothing; the deadline for the real one runs on.
    else if (head.status >= 200) this.#settleHead(head);
    return at + end + HEAD_END.length - before;
  }

  #settleHead(head: AnswerHead): void {
    if (head.headers.get("connection")?.toLowerCase() === "close") this.#keep = false;
    this.#headTaker?.resolve(head);
    this.#headTaker = undefined;
  }

  #taken(bytes: number): void {
    this.#bodyLeft -= bytes;
    if (this.#bodyLeft > 0) return;
    this.#consume = undefined;
    this.#bodyTaker?.resolve();
    this.#bodyTaker = undefined;
  }

  /** Deals with what is left of the last read, then lets the next one come. */
  #goOn(): void {
    const rest = this.#rest;
    this.#rest = undefined;
    // Whoever says more than was asked for is not asked again.
    if (rest && rest.length > 0 && !this.#headTaker && this.#bodyLeft === 0) this.destroy();
    else if (!rest || this.#take(rest)) this.#socket?.resume();
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const [head, body] = [this.#headTaker, this.#bodyTaker];
    this.#headTaker = this.#bodyTaker = this.#consume = undefined;
    head?.promise.catch(() => {});
    body?.promise.catch(() => {});
    head?.reject(this.#blame());
    body?.reject(this.#blame());
    this.#socket?.destroy();
  }

  /** A failure of the network becomes one that says how far we got. */
  #blame(): unknown {
    const error = this.#failure;
    if (!(error instanceof Error) || error.name === "IchainError" || error.name === "AbortError")
      return error;
    return this.#reached ? stalled(error) : hostUnreachable(error);
  }
}
