import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { EventEmitter, on } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { type AbortOptions, onAbort } from "../../../async/abort.ts";
import { torGone, torProtocol, torRefused } from "../errors.ts";
import { parseEvent, type TorEvent, type TorEventName, torEventNames } from "./events.ts";
import { type Reply, ReplyReader } from "./replies.ts";

interface Pending {
  readonly command: string;
  readonly resolve: (lines: readonly string[]) => void;
  readonly reject: (error: unknown) => void;
}

export interface ControlAddress {
  readonly socketPath: string;
  /** File with tor's 32-byte cookie: proves to tor that we may read its data folder, and to us that it is this tor. */
  readonly cookiePath: string;
}

/**
 * A connection to tor's control port (control-spec): commands are answered in order, events come as an async iterable.
 * After the connection has ended, every command throws the error that ended it.
 */
export class TorControl {
  readonly #socket: Socket;
  readonly #reader = new ReplyReader();
  readonly #pending: Pending[] = [];
  readonly #events = new EventEmitter();
  #ended: Error | undefined;
  /** Resolves once the connection has ended. */
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#events.setMaxListeners(0);
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => this.#receive(chunk));
    this.closed = new Promise((resolve) => {
      socket.once("error", (error) => this.#end(torGone("its control connection failed", error)));
      socket.once("close", () => {
        this.#end(torGone("its control connection closed"));
        resolve();
      });
    });
  }

  /**
   * Connects, authenticates both sides with the cookie (SAFECOOKIE; control-spec, section 3.24) and subscribes to
   * `torEventNames`. An abort after that does not end the connection.
   * @throws TOR_PROTOCOL, TOR_REFUSED, TOR_GONE; the signal's reason
   */
  static async open(address: ControlAddress, options: AbortOptions = {}): Promise<TorControl> {
    // No signal for the socket: it would end the connection also after this call.
    const control = new TorControl(connect({ path: address.socketPath }));
    try {
      await control.#authenticate(address.cookiePath, options);
      await control.command(`SETEVENTS ${torEventNames.join(" ")}`, options);
      return control;
    } catch (error) {
      control.close();
      throw error;
    }
  }

  /**
   * Sends one line and returns the reply's lines. An abort only ends the waiting: tor may still execute the command.
   * @throws TOR_REFUSED with tor's text; TOR_GONE when the connection ends first; TOR_PROTOCOL for a line break in
   *   `line`; the signal's reason
   */
  async command(line: string, { signal }: AbortOptions = {}): Promise<readonly string[]> {
    if (/[\r\n]/.test(line)) throw torProtocol("a command has a line break");
    if (this.#ended !== undefined) throw this.#ended;
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
    using _ = onAbort(signal, reject);
    this.#pending.push({ command: line.split(" ", 1)[0]!, resolve, reject });
    this.#socket.write(`${line}\r\n`);
    return await promise;
  }

  /**
   * The value of `GETINFO key`.
   * @throws as `command`
   */
  async info(key: string, options: AbortOptions = {}): Promise<string> {
    const [line = ""] = await this.command(`GETINFO ${key}`, options);
    return line.slice(key.length + 1);
  }

  /**
   * Events of one kind since this call: subscribe before sending the command that causes them. Ends with the
   * connection.
   * @throws the signal's reason
   */
  events<N extends TorEventName>(
    name: N,
    options: AbortOptions = {},
  ): AsyncIterableIterator<[Extract<TorEvent, { name: N }>]> {
    const { signal } = options;
    const events = on(this.#events, name, { close: ["closed"], ...(signal && { signal }) });
    return events as AsyncIterableIterator<[Extract<TorEvent, { name: N }>]>;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #authenticate(cookiePath: string, options: AbortOptions): Promise<void> {
    const clientNonce = randomBytes(32);
    const [line = ""] = await this.command(
      `AUTHCHALLENGE SAFECOOKIE ${clientNonce.toString("hex")}`,
      options,
    );
    // Read only after the answer: by then tor has written the cookie of this start.
    const cookie = await readFile(cookiePath);
    const match = /^AUTHCHALLENGE SERVERHASH=([0-9A-F]{64}) SERVERNONCE=([0-9A-F]{64})$/.exec(line);
    if (match === null || cookie.length !== 32) throw torProtocol("the cookie challenge is malformed");
    const nonces = Buffer.concat([cookie, clientNonce, Buffer.from(match[2]!, "hex")]);
    const digest = (key: string) => createHmac("sha256", key).update(nonces).digest();
    const expected = digest("Tor safe cookie authentication server-to-controller hash");
    if (!timingSafeEqual(expected, Buffer.from(match[1]!, "hex"))) {
      throw torProtocol("it does not know its own cookie");
    }
    const proof = digest("Tor safe cookie authentication controller-to-server hash");
    await this.command(`AUTHENTICATE ${proof.toString("hex")}`, options);
  }

  #receive(chunk: string): void {
    try {
      for (const reply of this.#reader.push(chunk)) this.#dispatch(reply);
    } catch (error) {
      this.#end(error as Error);
      this.#socket.destroy();
    }
  }

  #dispatch(reply: Reply): void {
    const [first = ""] = reply.lines;
    if (reply.code >= 600) {
      const event = parseEvent(first);
      if (event !== undefined) this.#events.emit(event.name, event);
      return;
    }
    const pending = this.#pending.shift();
    if (pending === undefined) throw torProtocol("a reply without a command");
    if (reply.code < 300) pending.resolve(reply.lines);
    else pending.reject(torRefused(pending.command, reply.code, first));
  }

  #end(error: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    for (const pending of this.#pending.splice(0)) pending.reject(error);
    this.#events.emit("closed");
  }
}
