import type { AbortOptions } from "../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../errors/error.ts";
import type { Warn } from "../../warnings.ts";
import { answered, parseQuantity } from "../quantities.ts";
import { type Rpc, RpcRefusal } from "../rpc.ts";

/** Longest pause before a node that gave no answer is asked again. */
const LONGEST_PAUSE_MS = 300_000;

export type NodeAnswer =
  | { readonly kind: "value"; readonly node: Node; readonly value: unknown }
  | { readonly kind: "refusal"; readonly node: Node; readonly refusal: RpcRefusal }
  | { readonly kind: "none"; readonly node: Node; readonly error: unknown };

/** One of several nodes: its answers and its health. */
export interface Node {
  readonly host: string;
  /** It answered its last call and is on the right chain. */
  readonly up: boolean;
  /** Its head does not advance while another node's does; set by `agreedHead`. */
  behind: boolean;
  /** Its newest block's hash, and since when (monotonic milliseconds). */
  head: { hash: string; since: number } | undefined;
  /** @throws only the signal's reason */
  ask(method: string, params: readonly unknown[], options: AbortOptions): Promise<NodeAnswer>;
  /** The same node as an `Rpc` of its own. */
  readonly alone: Rpc;
  close(): void;
}

export interface NodeOptions {
  readonly host: string;
  readonly chainId: number;
  /** First pause after a call without an answer; doubles. */
  readonly pauseMs: number;
  readonly warn: Warn;
}

export function watchNode(rpc: Rpc, { host, chainId, pauseMs: firstPauseMs, warn }: NodeOptions): Node {
  const closed = new AbortController();
  let checked = false;
  let out: { until: number } | undefined;
  let probing = false;
  let pauseMs = firstPauseMs;
  let warned = false;

  async function checkChain(options: AbortOptions): Promise<void> {
    const found = answered(parseQuantity, await rpc.send("eth_chainId", [], options), "its chain id");
    if (found !== BigInt(chainId)) throw otherChain(host, chainId, String(found));
    checked = true;
  }
  function fail(): void {
    out = { until: performance.now() + pauseMs };
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    if (!warned) warn({ kind: "node-silent", host });
    warned = true;
  }
  /** Asks a failed node in the background once its pause is over, so that no call waits for it. */
  function probe(): void {
    if (probing || closed.signal.aborted || out === undefined || performance.now() < out.until) return;
    probing = true;
    checkChain({ signal: closed.signal })
      .then(
        () => {
          out = undefined;
        },
        () => {
          if (!closed.signal.aborted) fail();
        },
      )
      .finally(() => {
        probing = false;
      });
  }
  async function send(
    method: string,
    params: readonly unknown[],
    options: AbortOptions = {},
  ): Promise<unknown> {
    try {
      if (!checked) await checkChain(options);
      const value = await rpc.send(method, params, options);
      [out, pauseMs] = [undefined, firstPauseMs];
      return value;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof RpcRefusal) out = undefined;
      else if (isIchainError(error)) fail();
      throw error;
    }
  }

  const node: Node = {
    host,
    get up() {
      probe();
      return out === undefined;
    },
    behind: false,
    head: undefined,
    async ask(method, params, options) {
      try {
        return { kind: "value", node, value: await send(method, params, options) };
      } catch (error) {
        if (error instanceof RpcRefusal) return { kind: "refusal", node, refusal: error };
        if (options.signal?.aborted || !isIchainError(error)) throw error;
        return { kind: "none", node, error };
      }
    },
    alone: { url: rpc.url, send },
    close: () => closed.abort(),
  };
  return node;
}

function otherChain(host: string, expected: number, found: string): IchainError {
  return new IchainError(
    "CHAIN_MISMATCH",
    `The node at ${host} is on chain ${found}, the network is chain ${expected}.`,
    { details: { host, expected, found } },
  );
}
