import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { type AbortOptions, linkSignals } from "../../async/abort.ts";
import { IchainError } from "../../errors/error.ts";
import { type Logger, silentLogger } from "../../ports/logger.ts";

/** Most bytes of one answer that are read; a node that sends more is refused. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Messages with which public nodes report their own overload as an error of the call. */
const OVERLOADED = /too many requests|rate.?limit|throttl|capacity exceeded|request timed? ?out/i;

const answerSchema = z.object({
  result: z.unknown().optional(),
  error: z
    .object({ code: z.number(), message: z.string().default(""), data: z.unknown().optional() })
    .optional(),
});

/** The node understood the call and refused it: reverts, refused transactions, ranges that are too large. */
export class RpcRefusal extends IchainError {
  readonly rpcCode: number;
  /** What the node attached, most often revert data (`revertData`). */
  readonly data: unknown;

  constructor(method: string, error: { code: number; message: string; data?: unknown }) {
    const message = error.message.slice(0, 500);
    super("CHAIN_REFUSED", `The chain's node refused ${method}: ${message}`, {
      details: { method, rpcCode: error.code, said: message },
    });
    this.rpcCode = error.code;
    this.data = error.data;
  }
}

/** Revert data, which nodes attach as it is or inside an object of their own. */
export function revertData(data: unknown): string | undefined {
  if (typeof data === "string") return /^0x[0-9a-f]*$/i.test(data) ? data : undefined;
  return typeof data === "object" && data !== null && "data" in data ? revertData(data.data) : undefined;
}

/** JSON-RPC over HTTP: every wait can be aborted and has a timeout, answers are bounded, retries are few. */
export interface Rpc {
  readonly url: string;
  /**
   * The result of one call.
   * @throws RpcRefusal, CHAIN_UNAVAILABLE
   */
  send(method: string, params: readonly unknown[], options?: AbortOptions): Promise<unknown>;
  /** When this stands for several nodes: those that can be asked now, each by itself. */
  readonly nodes?: readonly Rpc[];
  /** How many of `answering` nodes must agree. */
  quorum?(answering: number): number;
  /** Stops its background probes. */
  close?(): void;
}

export interface RpcOptions {
  /** For one answer. Default 30 s. */
  readonly timeoutMs?: number;
  /** Pauses before another try when the node cannot be reached or is overloaded; one try more than pauses. */
  readonly retryMs?: readonly number[];
  /** Gets each try that failed, at level `debug`. */
  readonly logger?: Logger;
}

const TIMEOUT_MS = 30_000;
const RETRY_MS = [100, 400, 1_600];

export function connectRpc(url: string, options: RpcOptions = {}): Rpc {
  const { timeoutMs = TIMEOUT_MS, retryMs = RETRY_MS, logger = silentLogger } = options;
  const { host } = new URL(url);
  let id = 0;
  return {
    url,
    async send(method, params, { signal } = {}) {
      const body = JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params });
      for (let attempt = 0; ; attempt++) {
        try {
          return await once(url, method, body, { signal, timeoutMs });
        } catch (error) {
          signal?.throwIfAborted();
          if (error instanceof RpcRefusal) throw error;
          const pause = retryMs[attempt];
          logger.debug("The chain's node gave no answer", { host, method, pauseMs: pause, error });
          if (pause === undefined) throw error;
          await delay(pause, undefined, { signal });
        }
      }
    },
  };
}

async function once(
  url: string,
  method: string,
  body: string,
  { signal, timeoutMs }: AbortOptions & { timeoutMs: number },
): Promise<unknown> {
  using bounded = linkSignals([signal], timeoutMs);
  try {
    const answer = answerSchema.parse(JSON.parse(await post(url, body, bounded.signal)));
    if (answer.error === undefined) return answer.result;
    if (OVERLOADED.test(answer.error.message)) throw new RangeError(answer.error.message.slice(0, 500));
    throw new RpcRefusal(method, answer.error);
  } catch (error) {
    if (error instanceof RpcRefusal) throw error;
    signal?.throwIfAborted();
    throw unavailable(url, method, error);
  }
}

async function post(url: string, body: string, signal: AbortSignal): Promise<string> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body, redirect: "error", signal });
  if (response.status === 429 || response.status >= 500) {
    await response.body?.cancel();
    throw new RangeError(`HTTP status ${response.status}`);
  }
  return boundedText(response);
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new RangeError(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function unavailable(url: string, method: string, cause: unknown): IchainError {
  const { host } = new URL(url);
  return new IchainError(
    "CHAIN_UNAVAILABLE",
    `The chain's node at ${host} gave no usable answer to ${method}.`,
    {
      hint: "Check that the node runs and that the RPC URL is right, then try again; nothing was lost.",
      cause,
      details: { host, method },
    },
  );
}
